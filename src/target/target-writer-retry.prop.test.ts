/**
 * I2: whatever a target refuses for a while, and whenever it does: either everything ends as if nothing had been refused, or the run ends with an
 * error. The server is a small model that refuses, as Redis does, only commands that may need memory; which of them, fast-check decides.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { scriptedServer } from "../../test/support/scripted-server.ts";
import { until } from "../../test/support/until.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { TargetWriter } from "./target-writer.ts";
import { isRetryableError } from "./translate/journal-error-class.ts";

type Value = string | readonly string[] | ReadonlySet<string>;

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const BUSY = "-BUSY Redis is busy running a script.\r\n";
const WRONGTYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
const OK = "+OK\r\n";

/** One connection's view of a keyspace. */
class Model {
  readonly #values = new Map<string, Value>();
  #db = "0";

  run(words: readonly string[]): string {
    const [name = "", first = "", second = ""] = words;
    const key = `${this.#db} ${first}`;
    const value = this.#values.get(key);
    switch (name) {
      case "SELECT":
        this.#db = first;
        return OK;
      case "SET":
        this.#values.set(key, second);
        return OK;
      case "DEL":
        return this.#values.delete(key) ? ":1\r\n" : ":0\r\n";
      case "APPEND":
        return this.#put(
          key,
          typeof (value ?? "") === "string" ? `${(value as string | undefined) ?? ""}${second}` : undefined,
        );
      case "RPUSH":
        return this.#put(
          key,
          value === undefined || Array.isArray(value)
            ? [...((value as string[] | undefined) ?? []), second]
            : undefined,
        );
      case "SADD":
        return this.#put(
          key,
          value === undefined || value instanceof Set ? new Set([...(value ?? []), second]) : undefined,
        );
      case "COPY":
        if (value !== undefined) this.#values.set(`${this.#db} ${second}`, value);
        return ":1\r\n";
      default:
        return "-ERR unknown command\r\n";
    }
  }

  /** Everything, and the database that the connection is in. */
  get state(): unknown {
    const values = Object.fromEntries(
      [...this.#values].map(([key, value]) => [key, value instanceof Set ? { members: value } : value]),
    );
    return { db: this.#db, values };
  }

  #put(key: string, value: Value | undefined): string {
    if (value === undefined) return WRONGTYPE;
    this.#values.set(key, value);
    return ":1\r\n";
  }
}

const KEY = fc.constantFrom("a", "b", "c", "d");
const COMMAND = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(fc.constant("SET"), KEY, fc.constantFrom("1", "2")) },
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom("APPEND", "RPUSH"), KEY, fc.constantFrom("x", "y", "z")) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("SADD"), KEY, fc.constantFrom("m", "n", "o")) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("DEL"), KEY) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("COPY"), KEY, KEY) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("SELECT"), fc.constantFrom("0", "1")) },
);

/** What is refused, of those that could be: the first so many, then each with a 1. */
const REFUSALS = fc.record({
  first: fc.constantFrom(0, 0, 10, 40),
  later: fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 20, maxLength: 60 }),
});

type Outcome = { readonly failure: Df2RedisError | undefined; readonly waits: number; readonly marks: number };

async function write(
  commands: readonly (readonly string[])[],
  answer: (words: readonly string[]) => string,
): Promise<Outcome> {
  await using server = await scriptedServer({
    answer: (words) => (words[0] === "PING" ? "+PONG\r\n" : answer(words)),
    onConnection: (socket) => void socket.setNoDelay(true),
  });
  let failure: Df2RedisError | undefined;
  let waits = 0;
  let marks = 0;
  let nowMs = 0;
  const writer = await TargetWriter.connect({
    endpoint: server.endpoint,
    limits: { batchBytes: 100, windowBytes: 1 << 20 },
    connectTimeoutMs: 2000,
    replyTimeoutMs: 5000,
    retry: {
      isRetryable: isRetryableError,
      retryMs: 1e9,
      onWaiting: () => void waits++,
      clock: {
        nowMs: () => nowMs,
        after: (delayMs, callback) => {
          const timer = setImmediate(() => {
            nowMs += delayMs;
            callback();
          });
          return () => clearImmediate(timer);
        },
      },
    },
    onError: () => undefined,
    onFailure: (error) => void (failure = error),
    onDrain: () => undefined,
  });
  for (const words of commands) {
    if (words[0] === "SELECT") writer.encoder.select(Number(words[1]));
    else writer.encoder.command(...words);
    writer.flush();
  }
  writer.afterApplied(() => void marks++);
  writer.flush(true);
  await until(() => marks === 1 || failure !== undefined, "the end");
  writer.destroy();
  return { failure, waits, marks };
}

test("refused for a while: as if nothing had been refused, or an error", async () => {
  let exact = 0;
  let stopped = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(COMMAND, { minLength: 1, maxLength: 40 }), REFUSALS, async (commands, refusals) => {
      const expected = new Model();
      for (const words of commands) expected.run(words);
      const actual = new Model();
      let n = 0;
      const isRefused = (): boolean => n++ < refusals.first || refusals.later[n - refusals.first] === 1;
      const { failure, waits, marks } = await write(commands, (words) => {
        if (words[0] === "CLIENT") return OK;
        if (words[0] === "DEL" || !isRefused()) return actual.run(words);
        return words[0] === "SELECT" ? BUSY : OOM;
      });
      if (failure !== undefined) {
        stopped++;
        expect([failure.code, marks]).toEqual(["TARGET_REJECTED", 0]);
        return;
      }
      if (waits > 0) exact++;
      expect(actual.state).toEqual(expected.state);
      expect(marks).toBe(1);
    }),
    { numRuns: 300 },
  );
  expect(exact).toBeGreaterThan(20);
  expect(stopped).toBeGreaterThan(5);
}, 60_000);
