/**
 * The configuration schema: the one place where a key, its type, its default and its description are written. Types, the check of
 * files, environment and flags, `--help`, docs/config.schema.json and docs/reference/config.md all come from here.
 * A key is added here only together with the code that makes it work.
 */
import { z } from "zod";
import {
  addressField,
  booleanField,
  bytesField,
  choiceField,
  databasesField,
  integerField,
  nameField,
  optionalChoiceField,
  optionalIntegerField,
  pathField,
  secretField,
  section,
  switchField,
  textField,
} from "./field.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export const SIDES = ["source", "target"] as const;
export type Side = (typeof SIDES)[number];

const SIDE_WORDS: Readonly<Record<Side, string>> = {
  source: "the Dragonfly to copy from",
  target: "the Redis to write to",
};

function tlsSchema(side: Side) {
  const flag = (name: string): string => `${side}-tls-${name}`;
  const settings = z.strictObject({
    enabled: booleanField({
      description: `Use TLS towards the ${side}.`,
      flag: `${side}-tls`,
      defaultText: "true with a rediss:// URL or when any other tls key is set, otherwise false",
    }),
    ca: pathField({
      description: "PEM file with the certificate authorities to trust.",
      flag: flag("ca"),
      placeholder: "file",
      defaultText: "the authorities that Node.js trusts",
      insteadOf: ["caFile", "cacert", "caCert"],
    }),
    cert: pathField({
      description: "PEM file with the client certificate. Needs `key`.",
      flag: flag("cert"),
      placeholder: "file",
      insteadOf: ["certFile", "clientCert"],
    }),
    key: pathField({
      description: "PEM file with the key of the client certificate. Needs `cert`.",
      flag: flag("key"),
      placeholder: "file",
      insteadOf: ["keyFile", "clientKey"],
    }),
    keyPassphrase: secretField({ description: "Passphrase of the key file.", insteadOf: ["passphrase"] }),
    serverName: textField({
      description: "Name to ask for (SNI) and to find in the server's certificate.",
      flag: flag("server-name"),
      placeholder: "name",
      defaultText: "the host of the address",
      insteadOf: ["servername", "sni"],
    }),
    insecure: switchField({
      description: "Accept any certificate. The connection is encrypted, but nobody proves who is at the other end.",
      flag: flag("insecure"),
      fallback: false,
      insteadOf: ["skipVerify", "insecureSkipVerify"],
    }),
  });
  return section(settings.prefault({}), {
    description: `TLS towards the ${side}. \`true\` alone means \`enabled: true\`.`,
    shorthand: "enabled",
  });
}

function endpointShape(side: Side) {
  return {
    addr: addressField({
      description:
        `Address of ${SIDE_WORDS[side]}: host:port, [IPv6]:port or a URL, redis://user:password@host:port ` +
        "(rediss:// for TLS, dragonfly:// is the same as redis://).",
      flag: side,
      placeholder: "addr",
      insteadOf: ["address", "host", "url", "uri", "seed"],
    }),
    user: textField({
      description: `ACL user at the ${side}. Needs a password.`,
      flag: `${side}-user`,
      placeholder: "name",
      defaultText: "the server's default user",
      insteadOf: ["username"],
    }),
    password: secretField({
      description: `Password at the ${side}. There is no flag for it, because other users of the machine can read flags.`,
      insteadOf: ["pass", "auth"],
    }),
    passwordFile: pathField({
      description: `File that holds the password at the ${side}; one line break at its end is ignored. Instead of \`password\`.`,
      flag: `${side}-password-file`,
      placeholder: "file",
    }),
    tls: tlsSchema(side),
  };
}

function endpointNote(side: Side) {
  return {
    description: `${SIDE_WORDS[side].replace("the", "The")}. A plain address or URL alone means \`addr\`.`,
    shorthand: "addr",
  };
}

export const WRITE_MODES = ["auto", "restore", "commands"] as const;

const sourceSchema = section(z.strictObject(endpointShape("source")), endpointNote("source"));

const targetSchema = section(
  z.strictObject({
    ...endpointShape("target"),
    writeMode: choiceField(WRITE_MODES, {
      description:
        "How collections of the snapshot are written: as they are stored with RESTORE where the target loads them and by commands " +
        "elsewhere (auto), by RESTORE whatever their size, strings included, where the target loads them (restore), or by commands only.",
      flag: "write-mode",
      placeholder: "mode",
      fallback: "auto",
    }),
  }),
  endpointNote("target"),
);

export const CONFLICT_POLICIES = ["overwrite", "skip", "panic"] as const;

const conflictSchema = z.strictObject({
  policy: optionalChoiceField(CONFLICT_POLICIES, {
    description:
      "What to do with a key that the target held before the run and the source has, too: replace it, leave the target's key alone " +
      "for good (what the source writes to it later, too), or stop at the first one.",
    flag: "conflict-policy",
    placeholder: "policy",
    defaultText: "none: a target that is not empty is refused",
    insteadOf: ["mode", "onConflict"],
  }),
  memoryBytes: bytesField({
    description:
      "Memory for knowing which keys the target held before the run; about 24 bytes a key. Only used when it is not empty.",
    min: MIB,
    max: 64 * GIB,
    fallback: 256 * MIB,
  }),
});

const FEATURE_CHOICES = ["auto", "native", "convert", "drop", "fail"] as const;

function featureField(name: string, what: string, auto: string) {
  return choiceField(FEATURE_CHOICES, {
    description: `${what} auto: ${auto}.`,
    flag: `unsupported-${name}`,
    placeholder: "choice",
    fallback: "auto",
  });
}

const unsupportedSchema = z.strictObject({
  json: featureField(
    "json",
    "JSON documents.",
    "native where the target has a JSON module, otherwise convert: a string with the document's text, kept up to date",
  ),
  bloom: featureField("bloom", "Bloom filters (no other server reads Dragonfly's).", "fail"),
  cuckoo: featureField("cuckoo", "Cuckoo filters (no other server reads Dragonfly's).", "fail"),
  cms: featureField("cms", "Count-min sketches (no other server reads Dragonfly's).", "fail"),
  topk: featureField("topk", "Top-k sketches (no other server reads Dragonfly's).", "fail"),
  fieldTtl: featureField(
    "field-ttl",
    "Deadlines of hash fields.",
    "native where the target has HPEXPIREAT, otherwise convert: df2redis deletes the field when it is due, while it runs",
  ),
  memberTtl: featureField(
    "member-ttl",
    "Deadlines of set members.",
    "convert: df2redis deletes the member when it is due, while it runs",
  ),
  sticky: featureField("sticky", "Stickiness of keys (they are never evicted).", "drop"),
  search: featureField("search", "Search index definitions.", "drop (the documents themselves are carried)"),
  lua: featureField("lua", "Scripts in the source's script cache.", "native: SCRIPT LOAD"),
});

const sweepSchema = z.strictObject({
  mode: choiceField(["on", "dry-run", "off"], {
    description:
      "After a full copy into a target that was not empty (`conflict.policy: overwrite`): delete the keys that the source does not " +
      "have, only count and list them, or leave them.",
    flag: "sweep",
    placeholder: "mode",
    fallback: "on",
  }),
  keysPerSecond: integerField({
    description: "Most keys of the target that the sweep looks at in a second.",
    min: 1,
    max: 10_000_000,
    fallback: 50_000,
  }),
});

const expirySchema = z.strictObject({
  hold: choiceField(["snapshot", "never"], {
    description:
      "Whether deadlines of keys are held back until the target has caught up: a key that passes its deadline there while the source's " +
      "renewal is still on the way would be lost.",
    flag: "expiry-hold",
    placeholder: "when",
    fallback: "snapshot",
  }),
  withinHours: integerField({
    description: "Deadlines further ahead than this are not held back. No copy should take so long.",
    min: 1,
    max: 24 * 365 * 9,
    fallback: 24,
  }),
});

const errorsSchema = z.strictObject({
  rejected: choiceField(["stop", "dead-letter"], {
    description:
      "What to do with a write that the target refuses for good: stop, or note it in the dead-letter file, count it and go on without it.",
    flag: "on-rejected",
    placeholder: "action",
    fallback: "stop",
  }),
  unrunnable: choiceField(["dead-letter", "stop"], {
    description:
      "The same for journal entries that no server could run, because the source journals them incompletely.",
    flag: "on-unrunnable",
    placeholder: "action",
    fallback: "dead-letter",
  }),
  retrySeconds: integerField({
    description:
      "How long a write is tried again while the target says that it cannot take it now (LOADING, OOM, READONLY, MISCONF, …). 0: not at all.",
    min: 0,
    max: 7 * 24 * 3600,
    fallback: 300,
  }),
  values: switchField({
    description: "Write the arguments of refused writes, values included, to the dead-letter file.",
    fallback: false,
  }),
});

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

const logSchema = z.strictObject({
  level: choiceField(LOG_LEVELS, {
    description:
      "Least severe level that is logged. Beside the progress line on a terminal, which says the same, info goes to the file only. Keys and values of your data appear at trace only.",
    flag: "log-level",
    placeholder: "level",
    fallback: "info",
  }),
  dir: pathField({
    description:
      "Directory for log files, made when it is not there. A run appends JSON lines to `<taskName>-<command>.log` in it.",
    flag: "log-dir",
    placeholder: "dir",
    defaultText: "no log file",
    insteadOf: ["file", "path"],
  }),
  consoleEnabled: switchField({
    description: "Log to standard error as well.",
    fallback: true,
    insteadOf: ["console"],
  }),
  format: choiceField(["auto", "pretty", "json"], {
    description:
      "Form of the log on standard error: lines for people, JSON lines, or pretty on a terminal and JSON elsewhere.",
    flag: "log-format",
    placeholder: "form",
    fallback: "auto",
  }),
});

const limitsSchema = z.strictObject({
  stringBytes: bytesField({
    description: "Longest single string (key, value, member) that is accepted from the source.",
    min: KIB,
    max: 4 * GIB,
    fallback: 512 * MIB,
  }),
  blobBytes: bytesField({
    description: "Largest content of one compressed block of the stream.",
    min: KIB,
    max: 4 * GIB,
    fallback: 256 * MIB,
  }),
  elements: integerField({
    description: "Most elements in one value.",
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    fallback: 0xffff_ffff,
  }),
});

const timeoutRange = { min: 10, max: 3_600_000 };

const advancedSchema = z.strictObject({
  workers: optionalIntegerField({
    description: "Worker threads that the flows are divided among. With 1 everything runs in the main thread.",
    flag: "workers",
    placeholder: "n",
    defaultText: "one less than there are CPU cores, at least 1, at most 2 and at most the number of flows",
    min: 1,
    max: 64,
  }),
  limits: section(limitsSchema.prefault({}), {
    description: "Lengths in the stream above these end the run before memory is taken for them.",
  }),
  restoreLimitBytes: bytesField({
    description:
      "Largest stored form of a collection that is copied as it is with RESTORE; larger ones are written by commands in batches.",
    min: 0,
    max: 512 * MIB,
    fallback: MIB,
  }),
  connectTimeoutMs: integerField({
    description: "Longest wait for a connection to open, TLS included.",
    ...timeoutRange,
    fallback: 10_000,
  }),
  handshakeTimeoutMs: integerField({
    description: "Longest wait for one answer of the source during the handshake.",
    ...timeoutRange,
    fallback: 60_000,
  }),
  replyTimeoutMs: integerField({
    description: "Longest wait for the target to answer.",
    ...timeoutRange,
    fallback: 60_000,
  }),
  batchBytes: bytesField({
    description: "Size of one write to the target.",
    min: 4 * KIB,
    max: 64 * MIB,
    fallback: 256 * KIB,
  }),
  windowBytes: bytesField({
    description:
      "Most bytes per worker that the target has been sent and has not answered yet. Not less than `batchBytes`.",
    min: 64 * KIB,
    max: GIB,
    fallback: 8 * MIB,
  }),
});

export const configSchema = z.strictObject({
  source: sourceSchema,
  target: targetSchema,
  taskName: nameField({
    description: "Name of this task. It is part of the log file's name.",
    flag: "task",
    placeholder: "name",
    fallback: "default",
    insteadOf: ["task", "name"],
  }),
  stateDir: pathField({
    description:
      "Directory for what a run leaves behind, made when it is needed: `<taskName>/dead-letter.ndjson`, `<taskName>/member-deadlines.ndjson`.",
    flag: "state-dir",
    placeholder: "dir",
    defaultText: "df2redis-state in the working directory",
  }),
  databases: databasesField({
    description:
      "Where the source's databases go, as `source=target` or `source=target:prefix` pairs with commas between them, or a mapping of " +
      "those. `*` stands for all databases not named, and `{db}` in a prefix for the source database's number.",
    flag: "databases",
    placeholder: "pairs",
    defaultText: "each to the one with the same number",
  }),
  conflict: section(conflictSchema.prefault({}), {
    description: "Keys that the target held before the run. A plain value means `policy`.",
    shorthand: "policy",
  }),
  unsupported: section(unsupportedSchema.prefault({}), {
    description:
      "What a plain Redis does not have, feature by feature: native (the target has it), convert (carried in another form), drop (left out, " +
      "counted and listed) or fail (stop at the first one).",
  }),
  sweep: section(sweepSchema.prefault({}), {
    description: "Keys that the source does not have. A plain value means `mode`.",
    shorthand: "mode",
  }),
  expiry: section(expirySchema.prefault({}), { description: "Deadlines of keys." }),
  errors: section(errorsSchema.prefault({}), { description: "Writes that the target refuses." }),
  log: section(logSchema.prefault({}), { description: "What is logged and where." }),
  advanced: section(advancedSchema.prefault({}), {
    description: "Limits and sizes. The defaults fit nearly every case.",
  }),
});

export type RawConfig = z.output<typeof configSchema>;
export type RawEndpoint = RawConfig[Side];
export type LogConfig = Readonly<RawConfig["log"]>;
export type AdvancedConfig = Readonly<RawConfig["advanced"]>;
export type WriteMode = (typeof WRITE_MODES)[number];
export type ConflictConfig = Readonly<RawConfig["conflict"]>;
export type ConflictPolicy = (typeof CONFLICT_POLICIES)[number];
export type UnsupportedConfig = Readonly<RawConfig["unsupported"]>;
export type SweepConfig = Readonly<RawConfig["sweep"]>;
export type ExpiryConfig = Readonly<RawConfig["expiry"]>;
export type ErrorsConfig = Readonly<RawConfig["errors"]>;
