/**
 * The stable journals of all recordings, translated and run on a real server without the snapshot before them. What they build from nothing
 * (keys `j:…`) must end as the source had it; what they do to keys of the snapshot is only checked for being understood.
 */
import { describe, expect, test } from "vitest";
import { compareValues } from "../../../test/support/compare-values.ts";
import { expectedKey } from "../../../test/support/expected-value.ts";
import { JournalTranslation } from "../../../test/support/journal-translation.ts";
import { takeCommands } from "../../../test/support/parse-commands.ts";
import { expectedLines, openRecording, recordingNames } from "../../../test/support/recordings.ts";
import { RespError } from "../../../test/support/resp-client.ts";
import { type KeyState, keyName, readServerState } from "../../../test/support/server-state.ts";
import { Cursor } from "../../bytes/cursor.ts";
import { DEFAULT_DECODE_LIMITS } from "../../bytes/decode-limits.ts";
import { JournalDecoder } from "../../journal/journal-decoder.ts";
import type { RecordedPart } from "../../simulator/recording.ts";
import { classifyTargetError } from "./journal-error-class.ts";
import { useRedis } from "../../../test/support/use-redis.ts";

const redis = useRedis();

type Rejection = { readonly name: string; readonly words: string };

/** Runs a flow's journal up to its end or the next flush; flows are independent of each other in between. */
class FlowReplay {
  readonly translation = new JournalTranslation({ now: Date.now() });
  readonly #cursor = new Cursor();
  readonly #decoder = new JournalDecoder(DEFAULT_DECODE_LIMITS);
  #flushed: "ALL" | number | undefined;

  constructor(bytes: Buffer, start: number) {
    this.#cursor.resetTo(bytes, start, bytes.length);
  }

  /** What is to be flushed, or undefined at the end. */
  async run(rejected: Rejection[]): Promise<"ALL" | number | undefined> {
    this.#flushed = undefined;
    const handler = {
      ping: (): void => {},
      command: (command: Parameters<typeof this.translation.translator.translate>[0]): void => {
        if (this.translation.translator.translate(command) !== "flush") return;
        this.#flushed = command.arg(0).equalsIgnoreCase("FLUSHALL") ? "ALL" : command.db;
      },
    };
    while (this.#cursor.pos < this.#cursor.end && this.#flushed === undefined)
      this.#decoder.next(this.#cursor, handler);
    await this.#send(rejected);
    return this.#flushed;
  }

  async release(rejected: Rejection[]): Promise<void> {
    this.translation.translator.deadlines.release(this.translation.encoder, "all");
    await this.#send(rejected);
  }

  async #send(rejected: Rejection[]): Promise<void> {
    const commands = [[Buffer.from("SELECT"), Buffer.from("0")], ...takeCommands(this.translation.encoder)];
    const replies = await redis.client.pipeline(commands);
    this.translation.encoder.forgetDatabase();
    for (const [i, reply] of replies.entries()) {
      const name = commands[i]?.[0]?.toString() ?? "";
      if (reply instanceof RespError && classifyTargetError({ name, argc: 0 }, reply.message) === "unrunnable")
        continue;
      if (reply instanceof RespError) rejected.push({ name, words: reply.message });
    }
  }
}

async function replay(part: RecordedPart): Promise<Rejection[]> {
  const rejected: Rejection[] = [];
  let flows = part.flows.map(({ master, stableStart }) => new FlowReplay(master, stableStart));
  const all = flows;
  while (flows.length > 0) {
    const flushed = await Promise.all(flows.map((flow) => flow.run(rejected)));
    const what = flushed.find((one) => one !== undefined);
    expect(new Set(flushed).size, "all flows reach the same flush").toBe(1);
    flows = what === undefined ? [] : flows;
    if (what === "ALL") await redis.client.call("FLUSHALL");
    else if (what !== undefined) await redis.client.pipeline([["SELECT", what], ["FLUSHDB"], ["SELECT", 0]]);
  }
  for (const flow of all) await flow.release(rejected);
  return rejected;
}

/** Keys that no snapshot holds: recordings make them in the stable phase only. */
const MADE_BY_JOURNAL = /^(?:[a-z0-9]+:)?j:(?!copyof:)|^e(?:h|s|x)?[a-z]*:?\d*$/;

/** What a target without member deadlines holds beyond the source. */
const HAS_MEMBER_DEADLINES = /(?:sx|hx)$|^(?:ehx|esx|ehall)/;

function madeByJournal(keys: readonly KeyState[]): KeyState[] {
  const now = Date.now();
  return keys.filter(
    ({ db, key, value, expireAt }) =>
      db === 0 &&
      MADE_BY_JOURNAL.test(key) &&
      !HAS_MEMBER_DEADLINES.test(key) &&
      value.type !== "other" &&
      (expireAt === null || expireAt > now),
  );
}

describe("recorded journals", () => {
  test.each(recordingNames())("%s", async (name) => {
    const recording = openRecording(name);
    // The second part goes on from a state that this test does not build.
    const rejected = await replay(recording.first);
    const expected =
      recording.second === undefined ? madeByJournal(expectedLines(recording).map((line) => expectedKey(line))) : [];
    const actual = await readServerState(redis.client);
    const differences = expected.flatMap((key) => {
      const found = actual.get(keyName(key.db, key.key));
      if (found === undefined) return [`${key.key} is missing`];
      const difference = compareValues(key.value, found.value, new Map());
      if (difference !== undefined) return [`${key.key}: ${JSON.stringify(difference)}`];
      return found.expireAt === key.expireAt ? [] : [`${key.key}: deadline ${found.expireAt}, not ${key.expireAt}`];
    });
    expect(differences).toEqual([]);
    expect(rejected).toEqual([]);
    if (/\/(?:types|types-4flows|expiry)$/.test(name)) expect(expected.length).toBeGreaterThan(15);
  });
});
