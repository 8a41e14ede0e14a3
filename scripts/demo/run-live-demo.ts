/**
 * The demo as it is run without arguments: a live simulated Dragonfly with data of every type, writers that go on while it is copied and followed, the
 * tool between it and a redis-server. When the writers have stopped and nothing is missing any more, every key of both sides is compared.
 */
import { setTimeout as delay } from "node:timers/promises";
import { compareServers } from "../../test/support/compare-servers.ts";
import { startLoad } from "../../test/support/load-generator.ts";
import { startRedis } from "../../test/support/redis-server.ts";
import { type RespClient, RespError } from "../../test/support/resp-client.ts";
import { startSimulator } from "../../test/support/test-source.ts";
import { type CliEvent, CliRun } from "./cli-run.ts";
import { replicateArgs } from "./replicate-args.ts";
import { demoData } from "./demo-data.ts";
import type { DemoOptions } from "./demo-options.ts";
import {
  caughtUpText,
  eventText,
  liveIntroText,
  liveResultText,
  progressLine,
  writersStoppedText,
} from "./demo-text.ts";
import { finishRun } from "./finish-run.ts";

const SHARDS = 4;
const WRITES_PER_SECOND = 4000;
const WRITERS = 6;
const DATABASES = [0, 0, 1, 5];
const SEED = 20_260;
/** How long writes go on once the journal is followed. */
const FOLLOWED_MS = 6000;
const PROGRESS_MS = 1000;
const POLL_MS = 20;
const COMMANDS_AT_A_TIME = 500;

/** Throws with a reason to show when something is not as it should be. */
export async function runLiveDemo({ command, stateDir, print }: DemoOptions): Promise<void> {
  await using target = await startRedis();
  await using source = await startSimulator({ shards: SHARDS });
  await using client = await source.client();
  await fill(client);
  const args = replicateArgs({ source: source.address, target: target.address, stateDir });
  print(
    liveIntroText({
      source: source.address,
      target: target.address,
      args,
      shards: SHARDS,
      keys: await keyCounts(client),
      writesPerSecond: WRITES_PER_SECOND,
    }),
  );
  await using writers = startLoad({
    ...source.endpoint,
    seed: SEED,
    connections: WRITERS,
    databases: DATABASES,
    opsPerSecond: WRITES_PER_SECOND,
  });
  await writers.untilCommands(WRITES_PER_SECOND / 4);

  const shown = new Shown(print);
  const run = new CliRun(command, [...args, "--json"], (event) => shown.event(event));
  const caughtUp = async (): Promise<void> => {
    await shown.following;
    const before = writers.status?.commands ?? 0;
    await writers.runFor(FOLLOWED_MS);
    print(writersStoppedText(await writers.stop(), before));
    const stoppedMs = performance.now();
    await untilNoLag(client);
    print(caughtUpText(performance.now() - stoppedMs, shown.largestLag));
  };
  const report = await finishRun(run, caughtUp(), () => {});
  await using targetClient = await target.client();
  const comparison = await compareServers({ source: client, target: targetClient });
  print(liveResultText(report, comparison));
  if (comparison.differenceCount > 0) throw new Error("the two sides differ; the first differences are listed above");
}

async function fill(client: RespClient): Promise<void> {
  const commands = demoData(Date.now());
  for (let at = 0; at < commands.length; at += COMMANDS_AT_A_TIME) {
    const replies = await client.pipeline(commands.slice(at, at + COMMANDS_AT_A_TIME));
    const error = replies.find((reply) => reply instanceof RespError);
    if (error !== undefined) throw error;
  }
}

/** Keys in each database that has some. */
async function keyCounts(client: RespClient): Promise<ReadonlyMap<number, number>> {
  const info = String(await client.call("INFO", "KEYSPACE"));
  return new Map([...info.matchAll(/^db(\d+):keys=(\d+)/gm)].map(([, db, keys]) => [Number(db), Number(keys)]));
}

/** Until the source itself says that its replica has acknowledged everything. */
async function untilNoLag(client: RespClient): Promise<void> {
  for (;;) {
    const info = String(await client.call("INFO", "REPLICATION"));
    if (/^slave0:.*,lag=0\b/m.test(info)) return;
    await delay(POLL_MS);
  }
}

/** Turns the tool's events into lines: each phase, and where it stands once a second. */
class Shown {
  /** When the journal is followed. */
  readonly following: Promise<void>;
  largestLag = 0;
  readonly #print: (text: string) => void;
  readonly #follow: () => void;
  #shownMs = -Infinity;

  constructor(print: (text: string) => void) {
    this.#print = print;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.following = promise;
    this.#follow = resolve;
  }

  event(event: CliEvent): void {
    if (event.event === "progress") this.#progress(event);
    const text = eventText(event);
    if (text !== undefined) this.#print(`${text}\n`);
    if (event.event === "phase" && event["phase"] === "stable") this.#follow();
  }

  #progress(event: CliEvent): void {
    this.largestLag = Math.max(this.largestLag, Number(event["lagEntries"] ?? 0));
    const elapsedMs = Number(event["elapsedMs"]);
    if (elapsedMs - this.#shownMs < PROGRESS_MS - 100) return;
    this.#shownMs = elapsedMs;
    this.#print(`${progressLine(event)}\n`);
  }
}
