/** Takes the journal entries of one command to a server, the way a run does it, and says what came of them. */
import { expect } from "vitest";
import { Df2RedisError } from "../../src/errors/df2redis-error.ts";
import { outcomeOf } from "../../src/target/losses.ts";
import { JournalEffects, type JournalScenario } from "../support/journal-effects.ts";
import { JournalTranslation } from "../support/journal-translation.ts";
import { takeCommandLines } from "../support/parse-commands.ts";
import { askDeadline, isUnknownCommand, olderScenario } from "./older-scenario.ts";
import type { Target } from "./observe-type.ts";

/** The cell's text; undefined where it cannot be told. Throws (an assertion) when the state afterwards is not the one that the source has. */
export async function observeCommand(scenario: JournalScenario, target: Target): Promise<string | undefined> {
  const isOlder = !target.capabilities.commands.has("PEXPIRETIME");
  const asked = isOlder ? olderScenario(scenario) : scenario;
  if (asked === undefined) return undefined;
  const effects = new JournalEffects(target.client);
  effects.translation = translation(target);
  await effects.run({ ...asked, after: [] }, { release: true });
  for (const [question, expected] of asked.after)
    expect(await answer(effects, question, expected, target)).toEqual(expected);
  return `exact (${way(scenario, target)})`;
}

async function answer(effects: JournalEffects, question: string, expected: unknown, target: Target): Promise<unknown> {
  try {
    return await effects.ask(question);
  } catch (thrown) {
    if (isUnknownCommand(thrown)) return await askDeadline(target.client, question, expected);
    throw thrown;
  }
}

/** A command of a module or of Dragonfly's own, which no scenario covers: what the policy makes of it. */
export function observePolicy(entry: readonly string[], target: Target): string {
  try {
    return effectOf(entry, target);
  } catch (thrown) {
    if (thrown instanceof Df2RedisError && thrown.code === "FEATURE_UNSUPPORTED") return "policy";
    throw thrown;
  }
}

function effectOf(entry: readonly string[], target: Target): string {
  const one = translation(target);
  one.translate(entry);
  const kinds = one.losses.map((line) => line.split(" ", 1)[0] ?? "");
  if (one.edits.length > 0 || kinds.some((kind) => outcomeOf(kind as never) === "converted")) return "converted";
  if (kinds.length > 0) return "policy";
  const lines = takeCommandLines(one.encoder);
  return lines.length === 0 ? "nothing to do" : `exact (${lines[0] === entry.join(" ") ? "as it is" : "rewritten"})`;
}

function translation({ capabilities, plan }: Target): JournalTranslation {
  return new JournalTranslation({ now: Date.now(), capabilities, plan });
}

/** Whether the entries go out as they came. */
function way({ entries }: JournalScenario, target: Target): string {
  const one = translation(target);
  const words = entries.map((entry) => (typeof entry === "string" ? entry.split(" ") : entry));
  const asked = words.map((entry) =>
    entry.map((word) => (Buffer.isBuffer(word) ? word.toString("latin1") : word)).join(" "),
  );
  for (const entry of words) one.translate(entry);
  const sent = takeCommandLines(one.encoder);
  if (sent.length === 0) return "nothing to do";
  return sent.every((line) => asked.includes(line)) ? "as it is" : "rewritten";
}
