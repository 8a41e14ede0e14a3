/**
 * I8: the journal through gate and translator onto a real server. Database 0 holds keys of its own before; database 1 starts empty and gets the same
 * entries without a gate: it is what the source has.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { journalCommand, JournalTranslation } from "../../test/support/journal-translation.ts";
import { takeCommands } from "../../test/support/parse-commands.ts";
import { RespError } from "../../test/support/resp-client.ts";
import { useRedis } from "../../test/support/use-redis.ts";
import { Slice } from "../bytes/slice.ts";
import type { ConflictPolicy } from "../config/schema.ts";
import { findOwnedKeys } from "../target/find-owned-keys.ts";
import type { OwnedKeys } from "../target/owned-keys.ts";
import type { ScanKeysOptions } from "../target/scan-keys.ts";
import { sweepTarget } from "../target/sweep.ts";
import { type ConflictGate, conflictGate } from "./conflict-gate.ts";

const redis = useRedis();

const PLACES = [{ db: 0, prefix: "" }];
const KEYS = ["k0", "k1", "k2", "k3", "k4", "k5"];

/** Values of every type that an entry may meet. */
const OLD = {
  string: (key: string) => ["SET", key, "7"],
  list: (key: string) => ["RPUSH", key, "old", "older"],
  set: (key: string) => ["SADD", key, "old", "m"],
  zset: (key: string) => ["ZADD", key, "1", "old"],
  hash: (key: string) => ["HSET", key, "f", "old"],
} as const;

const anyKey = fc.constantFrom(...KEYS);
const one = (name: string, ...rest: string[]): fc.Arbitrary<string[]> => anyKey.map((key) => [name, key, ...rest]);
const two = (name: string, ...rest: string[]): fc.Arbitrary<string[]> =>
  fc.uniqueArray(anyKey, { minLength: 2, maxLength: 2 }).map((keys) => [name, ...keys, ...rest]);

const anyEntry = fc.oneof(
  one("SET", "5"),
  one("SETNX", "6"),
  one("INCR"),
  one("APPEND", "x"),
  one("RPUSH", "a", "b"),
  one("LPUSHX", "c"),
  one("LPOP"),
  one("SADD", "m", "n"),
  one("HSET", "f", "1"),
  one("HSETNX", "f", "2"),
  one("ZADD", "2", "z"),
  one("PERSIST"),
  one("DEL"),
  two("DEL"),
  two("RENAME"),
  two("RENAMENX"),
  two("COPY", "REPLACE"),
  two("COPY"),
  two("LMOVE", "LEFT", "RIGHT"),
  two("RPOPLPUSH"),
  two("SMOVE", "m"),
  two("MSET", "v").map(([name = "", a = "", b = "", v = ""]) => [name, a, v, b, v]),
  two("MSETNX", "v").map(([name = "", a = "", b = "", v = ""]) => [name, a, v, b, v]),
  two("ZUNIONSTORE").map(([name = "", a = "", b = ""]) => [name, a, "1", b]),
  two("PFMERGE"),
);

const anyOld = fc.dictionary(anyKey, fc.constantFrom(...(Object.keys(OLD) as (keyof typeof OLD)[])));

class Run {
  readonly translation = new JournalTranslation();
  readonly reported: string[] = [];
  readonly skipped = new Set<string>();
  readonly owned: OwnedKeys;
  readonly gate: ConflictGate;
  readonly #policy: ConflictPolicy;

  constructor(owned: OwnedKeys, policy: ConflictPolicy) {
    this.owned = owned;
    this.#policy = policy;
    this.gate = conflictGate(policy, {
      owned,
      encoder: this.translation.encoder,
      losses: { record: (_kind, _db, key) => void this.skipped.add(key.toText()) },
      underivable: (command) => void this.reported.push(command.arg(0).toText()),
    });
  }

  /** A target whose database 0 holds `old`. */
  static async start(old: Readonly<Record<string, keyof typeof OLD>>, policy: ConflictPolicy): Promise<Run> {
    await redis.client.call("FLUSHALL");
    await redis.client.call("SELECT", 0);
    for (const [key, type] of Object.entries(old)) await redis.client.call(...OLD[type](key));
    const found = await findOwnedKeys({
      ...connection(),
      places: PLACES,
      keysByDatabase: new Map(),
      memoryBytes: 1 << 20,
    });
    return new Run(found, policy);
  }

  /** Runs the entry on the source, database 1, and, if the source would journal it, through the gate on the target, database 0. */
  async apply(words: readonly string[]): Promise<void> {
    if (this.#isReported(words)) return;
    const source = new JournalTranslation();
    source.translate(words, { db: 1 });
    const replies = await redis.client.pipeline([["SELECT", 1], ...takeCommands(source.encoder), ["SELECT", 0]]);
    const reply = replies.at(-2);
    if (reply instanceof RespError || (words[0] === "RENAMENX" && reply === 0)) return;
    const left = this.gate.command(journalCommand(words, { db: 0 }));
    if (left !== undefined) this.translation.translator.translate(left);
    await redis.client.pipeline(takeCommands(this.translation.encoder));
  }

  /** What cannot be derived runs on neither. Asking changes nothing with skip, and the other policies report nothing. */
  #isReported(words: readonly string[]): boolean {
    if (this.#policy !== "skip") return false;
    const before = this.reported.length;
    this.gate.command(journalCommand(words, { db: 0 }));
    return this.reported.length > before;
  }
}

function connection(): Pick<ScanKeysOptions, "endpoint" | "connectTimeoutMs" | "replyTimeoutMs"> {
  const { host, port } = redis.server;
  const endpoint = { host, port, user: undefined, password: undefined, tls: undefined };
  return { endpoint, connectTimeoutMs: 5000, replyTimeoutMs: 5000 };
}

/** Each key of the database with its value as the server dumps it. */
async function contents(db: number): Promise<Record<string, string>> {
  await redis.client.call("SELECT", db);
  const found: Record<string, string> = {};
  for (const key of KEYS) {
    const dump = await redis.client.call("DUMP", key);
    if (Buffer.isBuffer(dump)) found[key] = dump.toString("hex");
  }
  await redis.client.call("SELECT", 0);
  return found;
}

describe("overwrite", () => {
  test("whatever stood there and whatever is written: after the sweep the target has what the source has", async () => {
    await fc.assert(
      fc.asyncProperty(anyOld, fc.array(anyEntry, { maxLength: 25 }), async (old, entries) => {
        const run = await Run.start(old, "overwrite");
        for (const words of entries) await run.apply(words);
        await sweepTarget({ ...connection(), places: PLACES, owned: run.owned, mode: "on", keysPerSecond: 1e6 });
        expect(await contents(0)).toEqual(await contents(1));
        expect([run.reported, run.skipped.size]).toEqual([[], 0]);
      }),
      { numRuns: 60 },
    );
  });

  test("objects that come before or after entries of their key", async () => {
    const run = await Run.start({ k0: "list", k1: "list", k2: "list" }, "overwrite");
    run.gate.object({ db: 0, key: Slice.from("k0") });
    await redis.client.pipeline([
      ["DEL", "k0"],
      ["RPUSH", "k0", "new"],
    ]);
    await run.apply(["RPUSH", "k0", "entry"]);
    await run.apply(["RPUSH", "k1", "entry"]);
    expect(run.owned.remaining).toBe(1);
    await redis.client.call("SELECT", 0);
    expect(String(await redis.client.call("LRANGE", "k0", 0, -1))).toBe("new,entry");
    expect(String(await redis.client.call("LRANGE", "k1", 0, -1))).toBe("entry");
  });
});

describe("skip", () => {
  test("the target's own keys stay to the byte; the others become what the source has, but for entries that were reported", async () => {
    await fc.assert(
      fc.asyncProperty(anyOld, fc.array(anyEntry, { maxLength: 25 }), async (old, entries) => {
        const run = await Run.start(old, "skip");
        const before = await contents(0);
        for (const words of entries) await run.apply(words);
        const [after, source] = [await contents(0), await contents(1)];
        for (const key of KEYS) expect([key, after[key]]).toEqual([key, (key in before ? before : source)[key]]);
        for (const key of run.skipped) expect(Object.keys(old)).toContain(key);
      }),
      { numRuns: 60 },
    );
  });
});
