/** Asks a server of before 7.0 what a scenario asks: without the words and the fields that came with 7.0. */
import type { JournalScenario } from "../support/journal-effects.ts";
import { type RespClient, RespError } from "../support/resp-client.ts";

const COUNTERS: ReadonlySet<unknown> = new Set(["entries-read", "lag"]);
/** PTTL rounds, and the clock goes on between it and TIME. */
const SLACK_MS = 50;
const DEADLINE_BY_PTTL =
  "local t=redis.call('TIME') local left=redis.call('PTTL',KEYS[1]) if left<0 then return left end " +
  "return left+t[1]*1000+math.floor(t[2]/1000)";

/** undefined where its questions cannot be asked there. */
export function olderScenario(scenario: JournalScenario): JournalScenario | undefined {
  const { before = [], after } = scenario;
  if (after.some(([question]) => question.includes("99-*"))) return undefined;
  return {
    ...scenario,
    before: before.map((line) => line.replace(/ ENTRIESREAD \d+$/, "")),
    after: after.map(([question, answer]) => [question, withoutCounters(answer)]),
  };
}

function withoutCounters(answer: unknown): unknown {
  if (!Array.isArray(answer)) return answer;
  const items = answer as readonly unknown[];
  return items.filter((item, i) => !COUNTERS.has(item) && !COUNTERS.has(items[i - 1])).map(withoutCounters);
}

/** The answer of a server that does not know PEXPIRETIME or EXPIRETIME; the expected one when it is as near as can be told. */
export async function askDeadline(client: RespClient, question: string, expected: unknown): Promise<unknown> {
  const [name, key = ""] = question.split(" ");
  const ms = Number(await client.call("EVAL", DEADLINE_BY_PTTL, 1, key));
  if (ms < 0) return ms;
  if (name === "EXPIRETIME") return Math.floor((ms + SLACK_MS) / 1000);
  return typeof expected === "number" && Math.abs(ms - expected) <= SLACK_MS ? expected : ms;
}

export function isUnknownCommand(thrown: unknown): boolean {
  return thrown instanceof RespError && /unknown command/i.test(thrown.message);
}
