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
  integerField,
  nameField,
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

function endpointSchema(side: Side) {
  const settings = z.strictObject({
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
  });
  return section(settings, {
    description: `${SIDE_WORDS[side].replace("the", "The")}. A plain address or URL alone means \`addr\`.`,
    shorthand: "addr",
  });
}

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
  source: endpointSchema("source"),
  target: endpointSchema("target"),
  taskName: nameField({
    description: "Name of this task. It is part of the log file's name.",
    flag: "task",
    placeholder: "name",
    fallback: "default",
    insteadOf: ["task", "name"],
  }),
  log: section(logSchema.prefault({}), { description: "What is logged and where." }),
  advanced: section(advancedSchema.prefault({}), {
    description: "Limits and sizes. The defaults fit nearly every case.",
  }),
});

export type RawConfig = z.output<typeof configSchema>;
export type RawEndpoint = RawConfig[Side];
export type LogConfig = Readonly<RawConfig["log"]>;
export type AdvancedConfig = Readonly<RawConfig["advanced"]>;
