/**
 * The simulator's generated source (`df2redis simulate --generate`) against what consumes it: it must never be what limits. The same source, once drained
 * by a reader that throws the bytes away, once copied by `df2redis migrate` into a redis-server.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { processUsage } from "../test/support/process-stat.ts";
import { startRedis } from "../test/support/redis-server.ts";
import { drainFlows } from "./drain-flows.ts";
import { runMeasured } from "./measured-process.ts";

const LAUNCHER = fileURLToPath(new URL("../df2redis", import.meta.url));
/** The drained source has so many times the keys: it is over in no time otherwise. */
const DRAIN_SHARE = 5;

export type GeneratorResult = {
  readonly keys: number;
  readonly drainedKeys: number;
  readonly drainedKeysPerSecond: number;
  readonly copiedKeysPerSecond: number;
  /** Of the source's process, after it has sent all. */
  readonly peakBytes: number;
};

export type GeneratorBenchOptions = { readonly keys: number; readonly flows: number };

export async function benchGenerator({ keys, flows }: GeneratorBenchOptions): Promise<GeneratorResult> {
  const drainedKeys = keys * DRAIN_SHARE;
  const { seconds, peakBytes } = await drained(drainedKeys, flows);
  return {
    keys,
    drainedKeys,
    drainedKeysPerSecond: drainedKeys / seconds,
    copiedKeysPerSecond: keys / (await copiedSeconds(keys, flows)),
    peakBytes,
  };
}

async function drained(keys: number, flows: number): Promise<{ readonly seconds: number; readonly peakBytes: number }> {
  await using source = await startGenerator(keys, flows);
  const { seconds } = await drainFlows(source.port);
  return { seconds, peakBytes: processUsage(source.pid)?.peakRssBytes ?? Number.NaN };
}

async function copiedSeconds(keys: number, flows: number): Promise<number> {
  await using source = await startGenerator(keys, flows);
  await using target = await startRedis();
  const from = `127.0.0.1:${source.port}`;
  const { stdout } = await runMeasured([LAUNCHER, "migrate", "--json", "--source", from, "--target", target.address]);
  const snapshotMs = Number(/"snapshotMs":([\d.]+)/.exec(stdout)?.[1]);
  if (!(snapshotMs > 0)) throw new Error(`df2redis migrate did not tell how long the snapshot took: ${stdout}`);
  return snapshotMs / 1000;
}

type Generator = AsyncDisposable & { readonly port: number; readonly pid: number };

async function startGenerator(keys: number, flows: number): Promise<Generator> {
  const args = ["simulate", "--port", "0", "--shards", String(flows), "--generate", String(keys)];
  const child = spawn(LAUNCHER, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let said = "";
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const listening = /listens on 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (listening !== undefined) resolve(Number(listening));
    });
    child.once("exit", (code) => reject(new Error(`df2redis simulate ended with code ${code}: ${said}`)));
  });
  return {
    port,
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
