/**
 * The closed set of error codes. This file is the documentation: `docs/reference/errors.md` is generated from it.
 * `meaning` says what happened, `action` what the operator can do, `retryable` whether trying the same step again may help.
 * Codes are part of the interface: add, never rename.
 */
export type ErrorDoc = {
  readonly meaning: string;
  readonly action: string;
  readonly retryable: boolean;
};

export const ERROR_CODES = {
  INTERNAL: {
    meaning: "A state that the program thought impossible.",
    action: "Please report it with the log. The data in the target up to the last reported position is right.",
    retryable: false,
  },
  USAGE: {
    meaning: "The command line has an unknown command, an unknown option or a missing argument.",
    action: "Read `df2redis help <command>`.",
    retryable: false,
  },
  CONFIG_INVALID: {
    meaning: "A configuration file, an environment variable or a flag holds a value that is not accepted.",
    action: "Each mistake is listed with its file, line and column, variable or flag. Correct them and start again.",
    retryable: false,
  },
  CONFIG_UNREADABLE: {
    meaning: "A configuration file, a secret file or a TLS file could not be read.",
    action: "Check the path and its permissions.",
    retryable: false,
  },
  CONNECT_FAILED: {
    meaning: "A TCP or TLS connection to the source or the target could not be opened.",
    action:
      "Check address, port, firewall and whether the server is up; for TLS also the CA, the certificate and the server name.",
    retryable: true,
  },
  CONNECTION_LOST: {
    meaning: "A connection was closed or reset by the other side, or broke.",
    action:
      "Look at the other side's log at that moment. A Dragonfly closes every flow when one of them breaks or stalls.",
    retryable: true,
  },
  TIMEOUT: {
    meaning: "The other side did not answer in time.",
    action: "Check whether it is overloaded or unreachable.",
    retryable: true,
  },
  AUTH_FAILED: {
    meaning:
      "The server refused the user or the password, or the user lacks the right to run a command that is needed.",
    action: "Check user and password, and that the ACL allows the commands named in the message.",
    retryable: false,
  },
  NOT_A_DRAGONFLY: {
    meaning: "The source answers, but it is not a Dragonfly master that can be replicated from.",
    action: "Point `source` at the Dragonfly master's own port. For a Redis source use Redis replication instead.",
    retryable: false,
  },
  SOURCE_REFUSED: {
    meaning: "The Dragonfly refused a step of the replication handshake.",
    action:
      "The message holds its words. Often another replica is syncing, the master is loading, or an ACL is too narrow.",
    retryable: true,
  },
  PROTOCOL_VIOLATION: {
    meaning: "The other side sent something that its protocol does not allow at this point.",
    action:
      "Check that the address is right and that no proxy changes the bytes. Otherwise please report it with both versions.",
    retryable: false,
  },
  STREAM_CORRUPT: {
    meaning: "A flow's bytes cannot be decoded: a wrong opcode, length, checksum or compressed frame.",
    action:
      "Start again. If it repeats at the same key, please report it with the Dragonfly version and the key's type.",
    retryable: false,
  },
  LIMIT_EXCEEDED: {
    meaning: "A length in the stream is over the configured limit; nothing was allocated for it.",
    action: "If the value is real, raise the limit that the message names; otherwise the stream is corrupt.",
    retryable: false,
  },
  UNSUPPORTED_TYPE: {
    meaning: "The stream holds an object type or opcode that this version does not know.",
    action: "Look for a newer df2redis; otherwise please report it with the Dragonfly version.",
    retryable: false,
  },
  UNKNOWN_COMMAND: {
    meaning: "The journal holds a command that this version does not know. It is never guessed at.",
    action: "Look for a newer df2redis; otherwise please report it with the Dragonfly version and the command's name.",
    retryable: false,
  },
  TARGET_REJECTED: {
    meaning: "The target answered a write with an error, so going on would lose that write.",
    action:
      "The message holds the key, the command, the LSN and the server's words. Correct the cause and start again.",
    retryable: false,
  },
  VALUE_TOO_LONG: {
    meaning:
      "The source holds a string, or an element of a collection, that is longer than the target takes in one argument.",
    action:
      "Raise `proto-max-bulk-len` at the target above the size in the message (CONFIG SET takes effect at once for new runs), or remove the key.",
    retryable: false,
  },
  TARGET_UNSUITABLE: {
    meaning:
      "The target cannot be written to: it is a read-only replica, lacks memory or databases, or is of an unknown kind.",
    action: "Point `target` at a writable master that fits the message.",
    retryable: false,
  },
  TARGET_NOT_READY: {
    meaning:
      "The target is up but cannot be written to yet: it is loading its data, has no connection left, or said for `errors.retrySeconds` that it " +
      "cannot take writes (out of memory, read-only, unable to save).",
    action: "The message holds the server's words. Wait until it is ready, or give it what it lacks, and start again.",
    retryable: true,
  },
  TARGET_NOT_EMPTY: {
    meaning: "The target holds keys, and nothing says what is to become of them.",
    action:
      "Use an empty target, or set `conflict.policy` (`--conflict-policy`): overwrite replaces keys of the same name and sweeps the rest, " +
      "skip leaves the target's keys alone, panic stops at the first key that both sides have.",
    retryable: false,
  },
  KEY_CONFLICT: {
    meaning:
      "A key of the source is held by the target already, and `conflict.policy` is panic; or two source databases that are merged hold the same key.",
    action: "The message names the key. Remove or rename it on one side, or choose another policy or a prefix.",
    retryable: false,
  },
  FEATURE_UNSUPPORTED: {
    meaning:
      "The source holds something that the target cannot, and the configuration says (or nothing says otherwise) that this must stop the run.",
    action:
      "The message names the feature and the first key. Choose `drop` or `convert` for it under `unsupported`, remove those keys, or use a target that has it.",
    retryable: false,
  },
  STATE_UNWRITABLE: {
    meaning: "A file in the state directory could not be written.",
    action: "Check that `stateDir` exists or can be made, that it is writable and that its disk is not full.",
    retryable: false,
  },
  STATE_DAMAGED: {
    meaning: "A file in the state directory is not as df2redis wrote it.",
    action:
      "The message names the file and the line. Restore the file, or remove it and start with a full sync, which needs none.",
    retryable: false,
  },
  FLUSH_IN_SNAPSHOT: {
    meaning: "The source ran FLUSHALL or FLUSHDB while its snapshot was being sent, so the snapshot is void.",
    action: "Start the sync again.",
    retryable: true,
  },
  RESUME_IMPOSSIBLE: {
    meaning: "The source no longer holds the journal from the wanted LSN on, or it is another or a restarted master.",
    action: "A full sync is needed.",
    retryable: false,
  },
  INTERRUPTED: {
    meaning: "The run was stopped by a signal before it was done.",
    action: "None.",
    retryable: false,
  },
} as const satisfies Record<string, ErrorDoc>;

export type ErrorCode = keyof typeof ERROR_CODES;
