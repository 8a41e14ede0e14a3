/**
 * One run between a live source and a real Redis while random commands change the source: before the full sync, in the middle of it, and behind it.
 * The seed decides the commands, and how source and product do their work; the caller brings the policies, and judges what the target holds.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { RunReport } from "../../src/commands/run-report.ts";
import type { Flags } from "../../src/config/flag-layer.ts";
import { WRITE_MODES } from "../../src/config/schema.ts";
import { LiveRun } from "../conformance/live-run.ts";
import { RandomCommands } from "../fidelity/random-commands.ts";
import { SeededRandom } from "../support/hostile.ts";
import { LiveSource, type Words } from "../support/live-source.ts";
import type { RespClient } from "../support/resp-client.ts";
import { type States, statesOf } from "../support/states.ts";
import { eventually } from "../support/until.ts";

/** Commands at most that a client of the target runs on keys of its own, before the run. */
const OWN_COMMANDS = 300;
const DEADLINE_WORDS = /^(?:EX|PX|EXAT|PXAT|.*EXPIRE.*|.*EX)$/;
const SOON_MS = 10_000;

export type RandomPolicyRun = { readonly report: RunReport; readonly source: States };

export async function randomPolicyRun(options: {
  readonly seed: number;
  readonly targetPort: number;
  readonly flags: Flags;
  /** What it says before it may be stopped. */
  readonly untilNote?: string;
}): Promise<RandomPolicyRun> {
  const { seed, targetPort, flags, untilNote } = options;
  const random = new SeededRandom(seed);
  const of = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  await using source = await LiveSource.start({
    shards: 1 + random.below(4),
    flags: {
      serialization_tagged_chunks: of(["true", "false"]),
      serialization_max_chunk_size: of(["100", "2000", "65536"]),
      compression_mode: of(["0", "1", "2", "3"]),
    },
  });
  let canFlush = true;
  const commands = new RandomCommands(random, {
    streamIds: () => [],
    get canFlush() {
      return canFlush;
    },
  });
  const write = (count: number): void => {
    for (let i = 0; i < count; i++) source.try(commands.next());
  };
  write(250);
  source.write(["SELECT", 0], ["DEBUG", "POPULATE", 1000, "filler", 500]);
  // A flush inside of the snapshot voids it.
  canFlush = false;
  const workers = 1 + random.below(2);
  await using run = new LiveRun({ source, targetPort, workers, flags: { "write-mode": of(WRITE_MODES), ...flags } });
  await Promise.race([source.untilSnapshot(), run.untilPhase("catching_up")]);
  for (let i = 0; i < 20; i++) {
    write(15);
    await turn();
  }
  await run.untilPhase("stable");
  canFlush = true;
  for (let i = 0; i < 30; i++) {
    write(8);
    await turn();
  }
  await using client = await source.client();
  const expiresSoon = ({ expireAt }: { readonly expireAt: number | null }): boolean =>
    expireAt !== null && expireAt < Date.now() + SOON_MS;
  await eventually(async () => ![...(await statesOf(client)).values()].some(expiresSoon), "near deadlines to pass");
  if (untilNote !== undefined) await run.untilNote(untilNote);
  const report = await run.finish();
  return { report, source: await statesOf(client) };
}

/** What a client of the target had there before, under the names that the random commands use, without deadlines. */
export async function fillAtRandom(client: RespClient, seed: number): Promise<void> {
  const commands = new RandomCommands(new SeededRandom(seed), { streamIds: () => [], canFlush: false });
  for (let i = 0; i < OWN_COMMANDS; i++) {
    const words: Words = commands.next();
    if (words.some((word) => DEADLINE_WORDS.test(String(word)))) continue;
    // Some are Dragonfly's alone: their errors do not matter.
    await client.pipeline([words]);
  }
  await client.call("SELECT", 0);
}
