/**
 * `df2redis simulate`: runs a simulated Dragonfly by hand. A test tool. The simulator is loaded only when this command runs, and from nowhere else in
 * the product.
 */
import { type Command, Option } from "commander";
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import type { SimulatedMaster, SimulatedMasterOptions } from "../../simulator/simulated-master.ts";
import type { CliDeps } from "../cli-deps.ts";
import { StopSignals } from "../stop-signals.ts";

const MAX_SHARDS = 1024;
const MAX_PORT = 65_535;
const MAX_KEYS = 1_000_000_000;
const COMPRESSION_MODES = [0, 1, 2, 3] as const;

const TEXT = [
  "Run a simulated Dragonfly, to try df2redis or to test with it.",
  "It is a test tool: it speaks enough of Redis' protocol for clients to read and write every type, and the master's side of " +
    "Dragonfly's replication protocol in full. It listens on 127.0.0.1 only, keeps everything in memory and loses it at the end. " +
    "It runs until Ctrl-C.",
].join("\n\n");

const EXAMPLES = `
Examples:
  df2redis simulate --populate 100000
  df2redis simulate --port 7000 --shards 16 --dragonfly-version 1.27.4 --no-tagged-chunks
  df2redis simulate --recording test/fixtures/recordings/dragonfly-1.40.1/types
  df2redis simulate --generate 10000000 --shards 8

Then, in another terminal: df2redis replicate --source 127.0.0.1:6380 --target redis://127.0.0.1:6379`;

export type SimulateOptions = SimulatedMasterOptions;

type RawOptions = {
  readonly port: string;
  readonly shards: string;
  readonly dragonflyVersion: string;
  readonly compressionMode: string;
  readonly taggedChunks: boolean;
  readonly populate: string;
  readonly recording?: string;
  readonly generate?: string;
  readonly requirepass?: string;
};

export function addSimulateCommand(program: Command, run: (options: SimulateOptions) => Promise<void>): void {
  const command = program.command("simulate").summary("run a simulated Dragonfly (a test tool)").description(TEXT);
  const options = [
    new Option("--port <port>", "Port on 127.0.0.1; 0 takes a free one").default("6380", "6380"),
    new Option("--shards <n>", "Shards, and so flows (1 to 1024)").default("4", "4"),
    new Option("--dragonfly-version <release>", "The release to behave as").default("1.40.1", "1.40.1"),
    new Option("--compression-mode <mode>", "Of its snapshot: 0 none, 1 LZF strings, 2 ZSTD, 3 LZ4").default("3", "3"),
    new Option("--tagged-chunks", "Send large values in tagged chunks, as releases from about 1.38 on do").default(
      true,
    ),
    new Option("--no-tagged-chunks", "Send large values as older releases do"),
    new Option("--populate <n>", "Keys of all types to begin with").default("0", "0"),
    new Option("--recording <dir>", "Play this recording of a real session, instead of being live"),
    new Option("--generate <n>", "Send so many generated keys, made as they are sent, instead of being live"),
    new Option("--requirepass <password>", "The password that clients and replicas need"),
  ];
  for (const option of options) command.addOption(option);
  command.addHelpText("after", EXAMPLES);
  command.action(async () => {
    checkCombination(command);
    await run(readOptions(command.opts<RawOptions>()));
  });
}

/** What makes no sense together. */
function checkCombination(command: Command): void {
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === "cli";
  const [mode, ...useless] = isGiven("recording")
    ? ["recording", "generate", "populate", "shards", "dragonflyVersion", "compressionMode", "taggedChunks"]
    : ["generate", "populate", "taggedChunks", "requirepass"];
  if (!isGiven(mode ?? "")) return;
  const named = useless
    .filter(isGiven)
    .map((name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  if (named.length > 0) throw usage(`--${mode} cannot be combined with ${named.join(", ")}.`);
}

function readOptions(raw: RawOptions): SimulateOptions {
  const compression = COMPRESSION_MODES.find((mode) => String(mode) === raw.compressionMode);
  if (compression === undefined) throw usage("--compression-mode is 0, 1, 2 or 3.");
  const release = /^(?:df-)?v?(\d{1,3}\.\d{1,3}\.\d{1,3})$/.exec(raw.dragonflyVersion)?.[1];
  if (release === undefined) throw usage("--dragonfly-version is a release like 1.40.1.");
  return {
    port: whole("port", raw.port, { from: 0, to: MAX_PORT }),
    shards: whole("shards", raw.shards, { from: 1, to: MAX_SHARDS }),
    version: `df-v${release}`,
    compression,
    taggedChunks: raw.taggedChunks,
    populate: whole("populate", raw.populate, { from: 0, to: MAX_KEYS }),
    ...(raw.recording !== undefined && { recording: raw.recording }),
    ...(raw.generate !== undefined && { generate: whole("generate", raw.generate, { from: 1, to: MAX_KEYS }) }),
    ...(raw.requirepass !== undefined && { requirepass: raw.requirepass }),
  };
}

function whole(name: string, text: string, { from, to }: { readonly from: number; readonly to: number }): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= from && number <= to) return number;
  throw usage(`--${name} is a whole number from ${from} to ${to}.`);
}

function usage(message: string): Df2RedisError {
  return new Df2RedisError("USAGE", message);
}

/** Runs it until a signal, or until it ends by itself. */
export async function runSimulate(options: SimulateOptions, deps: Pick<CliDeps, "stdout" | "signals">): Promise<void> {
  const { startSimulatedMaster } = await import("../../simulator/simulated-master.ts");
  const master = await startSimulatedMaster(options).catch((error: unknown) => {
    throw listenError(error, options.port);
  });
  const signals = new StopSignals(deps.signals, () => {});
  deps.stdout.write(introText(master, options));
  const stopped = new Promise<"signal">((resolve) => {
    signals.stop.addEventListener("abort", () => resolve("signal"), { once: true });
  });
  const end = await Promise.race([stopped, master.ended]);
  if (end === "signal") await master.stop();
  signals.close();
  deps.stdout.write(end === "signal" ? "Stopped; nothing was kept.\n" : "It was shut down by a client.\n");
}

function listenError(error: unknown, port: number): unknown {
  if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) return error;
  return new Df2RedisError("USAGE", `Port ${port} is taken; choose another one with --port, or 0 for a free one.`, {
    cause: error,
  });
}

function introText({ address, port, description, isLive }: SimulatedMaster, options: SimulateOptions): string {
  const hasPassword = options.requirepass !== undefined;
  const cli = `redis-cli -p ${port}${hasPassword ? " --askpass" : ""}`;
  const replicate = `df2redis replicate --source ${address}${hasPassword ? " --source-password-file <file>" : ""} --target redis://127.0.0.1:6379`;
  const width = Math.max(cli.length, replicate.length) + 3;
  return [
    `Simulated: ${description}. It listens on ${address}.`,
    "",
    ...(isLive ? [`  ${cli.padEnd(width)}reads and writes it`] : []),
    `  ${replicate.padEnd(width)}copies it`,
    "",
    "It is a test tool and keeps nothing. Ctrl-C ends it.",
    "",
  ].join("\n");
}
