/**
 * The source of the conformance suites, of three kinds:
 * - the live simulator in a process of its own; the default,
 * - with DRAGONFLY_BIN=<path>: that Dragonfly, started for each test on a free port of 127.0.0.1, without persistence,
 * - with DRAGONFLY_URL=<url>: one that runs already. The suite empties it, so it demands DRAGONFLY_URL_MAY_BE_EMPTIED=yes.
 *
 * A test says what it needs of its source (`skipUnless`). Where a kind cannot give it, the test is skipped, and its name says what is missing.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { connectTo, startSourceChild } from "./test-source-child.ts";
import type { SourceEndpoint, SourceFlags, SourceKind, TestSource, TestSourceOptions } from "./test-source-options.ts";
import type { RespClient } from "./resp-client.ts";

export type { SourceKind, TestSource } from "./test-source-options.ts";

const SIMULATOR = fileURLToPath(new URL("test-source-process.ts", import.meta.url));
const { DRAGONFLY_BIN = "", DRAGONFLY_URL = "", DRAGONFLY_URL_MAY_BE_EMPTIED = "" } = process.env;

export const SOURCE_KIND: SourceKind = kindOf();

function kindOf(): SourceKind {
  if (DRAGONFLY_BIN !== "" && DRAGONFLY_URL !== "") throw new Error("set DRAGONFLY_BIN or DRAGONFLY_URL, not both");
  if (DRAGONFLY_BIN !== "") return "DRAGONFLY_BIN";
  return DRAGONFLY_URL === "" ? "simulator" : "DRAGONFLY_URL";
}

/** The shard counts to test with: those asked for, or the one that a running source has. */
export function shardCounts(...counts: readonly number[]): readonly (number | undefined)[] {
  return SOURCE_KIND === "DRAGONFLY_URL" ? [undefined] : counts;
}

export function shardsText(shards: number | undefined): string {
  return shards === undefined ? "its own number of shards" : `${shards} ${shards === 1 ? "shard" : "shards"}`;
}

/** What not every source can give. */
export type SourceFeature =
  | "compressionMode"
  | "taggedChunks"
  | "maxChunkBytes"
  | "backlogEntries"
  | "requirepass"
  | "tls"
  | "shards"
  | "end"
  | "acl"
  | "version";

/** Why the source of this run cannot give a feature; undefined when it can. */
export function missing(feature: SourceFeature): string | undefined {
  if (SOURCE_KIND === "simulator") return undefined;
  if (SOURCE_KIND === "DRAGONFLY_URL") return ON_A_RUNNING_ONE[feature];
  if (feature === "version") return "a binary is one release";
  const flag = BINARY_FLAGS[feature];
  return flag === undefined || binaryFlags().includes(`--${flag} `) ? undefined : `this Dragonfly has no --${flag}`;
}

const ON_A_RUNNING_ONE: Readonly<Record<SourceFeature, string>> = {
  compressionMode: "the compression mode of a running Dragonfly cannot be chosen",
  taggedChunks: "whether a running Dragonfly tags chunks cannot be chosen",
  maxChunkBytes: "the chunk size of a running Dragonfly is not ours to change",
  backlogEntries: "the backlog of a running Dragonfly cannot be chosen",
  requirepass: "the password of a running Dragonfly is not ours to change",
  tls: "a running Dragonfly speaks TLS or not, by its URL",
  shards: "the number of shards of a running Dragonfly cannot be chosen",
  end: "a running Dragonfly is not ours to end",
  acl: "the users of a running Dragonfly are not ours to change",
  version: "a running Dragonfly is one release",
};

/** Flags that not every release has. */
const BINARY_FLAGS: Partial<Record<SourceFeature, string>> = {
  compressionMode: "compression_mode",
  taggedChunks: "serialization_tagged_chunks",
  maxChunkBytes: "serialization_max_chunk_size",
  tls: "tls",
  // Later releases keep some seconds instead of some entries.
  backlogEntries: "shard_repl_backlog_len",
};

let helpText: string | undefined;

/** What the binary says of its flags (Abseil's --helpfull). */
function binaryFlags(): string {
  helpText ??= spawnSync(DRAGONFLY_BIN, ["--helpfull"], { encoding: "utf8", maxBuffer: 16 << 20 }).stdout ?? "";
  return helpText;
}

export type Skip = { readonly skip: boolean; readonly note: string };

/** For `test.skipIf(x.skip)(`name${x.note}`, …)`: whether this run's source lacks one of the features, and why, for the test's name. */
export function skipUnless(...features: readonly SourceFeature[]): Skip {
  const reasons = features.map(missing).filter((reason) => reason !== undefined);
  if (reasons.length === 0) return { skip: false, note: "" };
  return { skip: true, note: ` [skipped with ${SOURCE_KIND}: ${reasons.join("; ")}]` };
}

/** An empty source. The caller stops it. */
export async function openTestSource(options: TestSourceOptions = {}): Promise<TestSource> {
  const { shards = 4, flags = {} } = options;
  if (SOURCE_KIND === "DRAGONFLY_URL") return await openRunning();
  if (SOURCE_KIND === "simulator") return await startSimulator({ shards, flags });
  return await startSourceChild({
    kind: SOURCE_KIND,
    shards,
    flags,
    command: (port, directory) => [DRAGONFLY_BIN, ...dragonflyArguments({ port, directory, shards, flags })],
  });
}

/** The simulator, whatever the kind of this run's source. */
export async function startSimulator(options: {
  readonly shards: number;
  readonly flags?: SourceFlags;
}): Promise<TestSource> {
  const { shards, flags = {} } = options;
  const command = (port: number): readonly [string, ...string[]] => [
    process.execPath,
    SIMULATOR,
    JSON.stringify(simulatorOptions(port, shards, flags)),
  ];
  return await startSourceChild({ kind: "simulator", shards, flags, command });
}

/** As `LiveMasterOptions`, with files in place of their text. */
function simulatorOptions(port: number, shards: number, flags: SourceFlags): object {
  const { requirepass, tls, version } = flags;
  return {
    port,
    shards,
    flags: Object.fromEntries(namedFlags(flags)),
    ...(requirepass !== undefined && { requirepass }),
    ...(version !== undefined && { dragonflyVersion: version }),
    ...(tls && { tlsFiles: tls }),
  };
}

function namedFlags({ compressionMode, taggedChunks, maxChunkBytes, backlogEntries }: SourceFlags): [string, string][] {
  const given: readonly (readonly [string, unknown])[] = [
    ["compression_mode", compressionMode],
    ["serialization_tagged_chunks", taggedChunks],
    ["serialization_max_chunk_size", maxChunkBytes],
    ["shard_repl_backlog_len", backlogEntries],
  ];
  return given.filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]);
}

/** Dragonfly asks for 256 MiB a thread (its src/server/dfly_main.cc RunEngine). */
const MB_PER_THREAD = 300;

function dragonflyArguments(options: {
  readonly port: number;
  readonly directory: string;
  readonly shards: number;
  readonly flags: SourceFlags;
}): string[] {
  const { port, directory, shards, flags } = options;
  const { requirepass, tls } = flags;
  return [
    "--bind=127.0.0.1",
    `--port=${port}`,
    `--proactor_threads=${shards}`,
    `--maxmemory=${Math.max(2048, shards * MB_PER_THREAD)}mb`,
    "--dbfilename=",
    `--dir=${directory}`,
    "--logtostderr",
    "--version_check=false",
    ...namedFlags(flags).map(([name, value]) => `--${name}=${value}`),
    ...(requirepass === undefined ? [] : [`--requirepass=${requirepass}`]),
    ...(tls === undefined ? [] : ["--tls", `--tls_cert_file=${tls.certFile}`, `--tls_key_file=${tls.keyFile}`]),
  ];
}

async function openRunning(): Promise<TestSource> {
  if (DRAGONFLY_URL_MAY_BE_EMPTIED !== "yes")
    throw new Error(
      "These tests empty the Dragonfly of DRAGONFLY_URL. If that is right, set DRAGONFLY_URL_MAY_BE_EMPTIED=yes.",
    );
  const endpoint = endpointOf(DRAGONFLY_URL);
  const empty = async (): Promise<number> => {
    await using client = await connectTo(endpoint);
    await client.call("FLUSHALL");
    const lsns = await client.call("DFLY", "REPLICAOFFSET");
    return Array.isArray(lsns) ? lsns.length : 0;
  };
  const shards = await empty();
  const stop = async (): Promise<void> => void (await empty());
  return {
    kind: "DRAGONFLY_URL",
    endpoint,
    address: `${endpoint.host}:${endpoint.port}`,
    pid: undefined,
    shards,
    client: (db = 0): Promise<RespClient> => connectTo(endpoint, db),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function endpointOf(text: string): SourceEndpoint {
  const url = new URL(text.includes("://") ? text : `redis://${text}`);
  if (url.protocol === "rediss:")
    throw new Error("DRAGONFLY_URL with TLS is not supported by these tests: use a plain port");
  return {
    host: url.hostname,
    port: Number(url.port || 6379),
    user: url.username === "" ? undefined : decodeURIComponent(url.username),
    password: url.password === "" ? undefined : decodeURIComponent(url.password),
  };
}
