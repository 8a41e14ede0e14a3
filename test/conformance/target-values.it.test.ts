/**
 * What goes how to which target: every type and encoding in every write mode, streams with all that belongs to them, and journal entries that older
 * targets do not know, on each of the test servers (DF2REDIS_TEST_SERVERS). The servers check payloads to the last byte (sanitize-dump-payload).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WRITE_MODES, type WriteMode } from "../../src/config/schema.ts";
import type { TargetCapabilities } from "../../src/target/capabilities.ts";
import { probeTarget } from "../../src/target/probe.ts";
import { sampleState } from "../fidelity/sample-state.ts";
import { type DumpedObject, rdbStream, splitDump, withActiveTimes } from "../support/dump-to-rdb.ts";
import { JournalEffects, type JournalScenario } from "../support/journal-effects.ts";
import { JournalTranslation } from "../support/journal-translation.ts";
import { eof, object, rdb } from "../support/rdb-builder.ts";
import { SAMPLES, STRING_SAMPLES } from "../support/rdb-samples.ts";
import { body } from "../support/rdb-values.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { RespError, type RespClient } from "../support/resp-client.ts";
import { readKeys, type Value } from "../support/server-state.ts";
import { type Loss, translateRdb, type TranslateOptions } from "../support/snapshot-translation.ts";
import { streamState } from "../support/stream-state.ts";
import { testServers } from "../support/test-servers.ts";

const TIMEOUTS = { connectTimeoutMs: 5000, replyTimeoutMs: 5000 };
const DEADLINE = Date.now() + 3_600_123;
/** What `withActiveTimes` gives to each consumer. */
const ACTIVE_MS = 0x060504030201;
/** Types that a server without modules holds. */
const HELD = SAMPLES.filter(({ value }) => value.type <= 21 && !["json", "module"].includes(value.kind));

let made: RedisServer;
let source: RespClient;
beforeAll(async () => {
  made = await startRedis();
  source = await made.client();
});
afterAll(async () => {
  source.close();
  await made.stop();
});

describe.each(testServers())("$name", ({ path }) => {
  let redis: RedisServer;
  let target: RespClient;
  let capabilities: TargetCapabilities;
  beforeAll(async () => {
    redis = await startRedis({ program: path, args: ["--sanitize-dump-payload", "yes"] });
    target = await redis.client();
    const endpoint = { host: "127.0.0.1", port: redis.port, user: undefined, password: undefined, tls: undefined };
    capabilities = await probeTarget({ endpoint, ...TIMEOUTS });
  });
  afterAll(async () => {
    target.close();
    await redis.stop();
  });
  beforeEach(async () => {
    await Promise.all([source.call("FLUSHALL"), target.call("FLUSHALL")]);
  });

  async function play(bytes: Buffer, options: TranslateOptions): Promise<{ names: Set<string>; losses: Loss[] }> {
    const { commands, kit } = translateRdb(bytes, { capabilities, ...options });
    const replies = await target.pipeline([...commands, ["SELECT", 0]]);
    expect(replies.filter((reply) => reply instanceof RespError).map(String)).toEqual([]);
    return { names: new Set(commands.map(([name]) => String(name))), losses: kit.losses };
  }

  describe.each(WRITE_MODES)("write mode %s", (writeMode: WriteMode) => {
    test.each(HELD.map((sample) => [sample.name, sample] as const))("%s", async (_name, { value, version }) => {
      await target.call("RPUSH", "key", "stale");
      const bytes = rdb([object(value.type, "key", body(value)), eof()], version);
      const { names } = await play(bytes, { writeMode });
      const held = await readKeys(target, 0, [Buffer.from("key")]);
      const expected = [sampleState(value)].filter((state) => state !== undefined);
      expect(held.map((key) => inOrder(key.value))).toEqual(expected.map(inOrder));
      const isStream = value.kind === "stream";
      const loads = writeMode !== "commands" && (capabilities.restorableTypes.has(value.type) || isStream);
      const isEmpty = held.length === 0;
      expect(names.has("RESTORE")).toBe(loads && !isEmpty);
    });

    test("strings of every encoding", async () => {
      for (const string of STRING_SAMPLES) {
        const { names } = await play(rdb([object(0, "key", string.wire), eof()]), { writeMode });
        expect(await target.call("GET", "key")).toEqual(Buffer.from(string.text, "latin1"));
        expect(names).toContain(writeMode === "restore" ? "RESTORE" : "SET");
      }
    });
  });

  describe("streams with groups, consumers, pending entries, and deleted messages", () => {
    beforeEach(async () => {
      await source.pipeline([
        ...Array.from({ length: 3300 }, (_, i) => ["XADD", "k", `${1000 + Math.floor(i / 3)}-${i % 3}`, "f", i]),
        ["XADD", "k", "18446744073709551615-5", "last", ""],
        ["XGROUP", "CREATE", "k", "unread", "0"],
        ["XGROUP", "CREATE", "k", "read", "0"],
        ["XREADGROUP", "GROUP", "read", "alice", "COUNT", 700, "STREAMS", "k", ">"],
        ["XREADGROUP", "GROUP", "read", "bob", "COUNT", 40, "STREAMS", "k", ">"],
        ["XREADGROUP", "GROUP", "unread", "dave", "COUNT", 9, "STREAMS", "k", ">"],
        ["XCLAIM", "k", "read", "carol", 0, "1001-0", "1002-0", "RETRYCOUNT", 9, "TIME", 123_456, "FORCE"],
        ["XACK", "k", "read", "1002-1", "1003-1"],
        ["XGROUP", "CREATECONSUMER", "k", "unread", "nobody"],
      ]);
    });

    async function dump(type: 19 | 21): Promise<DumpedObject> {
      const { body: bytes } = splitDump((await source.call("DUMP", "k")) as Buffer);
      return { key: "copy", type, body: type === 21 ? withActiveTimes(bytes) : bytes, expireAtMs: DEADLINE };
    }

    async function expectEqual(): Promise<void> {
      const [was, is] = [await streamState(source, "k"), await streamState(target, "copy")];
      expect(common(is, was)).toEqual(common(was, is));
      expect("entries-added" in is).toBe(capabilities.restorableTypes.has(19));
      // What the clients of the copy would see of pending entries, in another way.
      for (const group of ["read", "unread"])
        expect(await pendingIds(target, "copy", group)).toEqual(await pendingIds(source, "k", group));
      expect(Math.abs(Number(await target.call("PTTL", "copy")) - (DEADLINE - Date.now()))).toBeLessThan(5000);
    }

    const states: readonly [string, (readonly (string | number)[])[]][] = [
      ["as they are", []],
      ["some deleted", [["XDEL", "k", "1000-0", "1005-1", "1006-0", "1200-2", "18446744073709551615-5"]]],
      ["trimmed", [["XTRIM", "k", "MINID", "1003-0"]]],
      [
        "trimmed, and some deleted",
        [
          ["XTRIM", "k", "MINID", "1003-0"],
          ["XDEL", "k", "1010-0", "1003-0"],
        ],
      ],
      ["all gone", [["XTRIM", "k", "MAXLEN", 0]]],
      [
        "without counters",
        [
          ["XSETID", "k", "18446744073709551615-5", "ENTRIESADDED", 1205],
          ["XDEL", "k", "1000-0"],
        ],
      ],
    ];

    test.each(states.flatMap(([name, commands]) => ([19, 21] as const).map((type) => [name, type, commands] as const)))(
      "%s, type %i: by RESTORE, with the times of consumers",
      async (_name, type, commands) => {
        await source.pipeline(commands);
        await play(rdbStream([await dump(type)]), { writeMode: "auto" });
        await expectEqual();
        expect(await consumerTimes(target, "copy", "seen-time")).toEqual(await consumerTimes(source, "k", "seen-time"));
        // Servers before 7.2 have none.
        if (capabilities.restorableTypes.has(21) && type === 21)
          expect(new Set(await consumerTimes(target, "copy", "active-time"))).toEqual(new Set([String(ACTIVE_MS)]));
        expect(await target.call("DBSIZE")).toBe(1);
      },
    );

    test.each([7000, 7002])("an entry of %i fields and values, by commands", async (fields) => {
      await source.call("XADD", "k", "18446744073709551615-7", ...Array.from({ length: fields }, (_, i) => `${i}`));
      await source.call("XDEL", "k", "1005-1");
      const { losses } = await play(rdbStream([await dump(19)]), { writeMode: "commands" });
      expect(losses.map(({ kind }) => kind)).toEqual(fields === 7000 ? [] : ["pendingOfDeleted"]);
      if (fields === 7000) await expectEqual();
      expect(await target.call("XLEN", "copy")).toBe(await source.call("XLEN", "k"));
    });

    test.each(states)("%s: by commands", async (_name, commands) => {
      await source.pipeline(commands);
      await target.call("XADD", "copy", "18446744073709551615-18446744073709551615", "stale", "");
      const { names, losses } = await play(rdbStream([await dump(21)]), { writeMode: "commands" });
      expect(losses).toEqual([]);
      expect(names).not.toContain("RESTORE");
      await expectEqual();
      expect(await target.call("DBSIZE")).toBe(1);
    });
  });

  describe("journal entries that a target before 7.0 does not know", () => {
    const STREAM = [
      "XADD s 1-1 f a",
      "XADD s 2-1 f b",
      "XADD s 3-1 f c",
      "XGROUP CREATE s g 0",
      "XREADGROUP GROUP g alice STREAMS s >",
      "XDEL s 1-1",
    ];
    const pending = (...lines: readonly (readonly [string, string, number])[]): readonly [string, unknown] => [
      "XPENDING s g - + 9",
      lines.map(([id, consumer, count]) => [id, consumer, expect.any(Number), count]),
    ];
    const scenarios: Readonly<Record<string, JournalScenario>> = {
      "LMPOP from the first list that there is": {
        before: ["RPUSH b 1 2 3", "RPUSH c 9"],
        entries: ["LMPOP 3 a b c LEFT"],
        after: [
          ["LRANGE b 0 -1", ["2", "3"]],
          ["LLEN c", 1],
        ],
      },
      "LMPOP of many from the right": {
        before: ["RPUSH b 1 2 3"],
        entries: ["LMPOP 1 b right COUNT 2", "LMPOP 1 none LEFT"],
        after: [["LRANGE b 0 -1", ["1"]]],
      },
      "ZMPOP of the least and of the greatest": {
        before: ["ZADD z 1 a 2 b 3 c 4 d"],
        entries: ["ZMPOP 2 none z MIN", "ZMPOP 1 z MAX COUNT 2"],
        after: [["ZRANGE z 0 -1", ["b"]]],
      },
      "XCLAIM of a deleted message": {
        before: STREAM,
        entries: ["XCLAIM s g bob 0 1-1 2-1"],
        after: [pending(["2-1", "bob", 2], ["3-1", "alice", 1])],
      },
      "XCLAIM as reads are journaled": {
        before: ["XADD s 1-1 f a", "XADD s 2-1 f b", "XGROUP CREATE s g 0"],
        entries: [
          "XCLAIM s g alice 0 1-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1",
          "XGROUP SETID s g 1-1 ENTRIESREAD 1",
        ],
        after: [pending(["1-1", "alice", 1])],
      },
      XAUTOCLAIM: {
        before: STREAM,
        entries: ["XAUTOCLAIM s g bob 0 0-0"],
        after: [pending(["2-1", "bob", 2], ["3-1", "bob", 2])],
      },
      "XAUTOCLAIM of a few, which counts deleted messages": {
        before: STREAM,
        entries: ["XAUTOCLAIM s g bob 0 0-0 COUNT 2 JUSTID"],
        after: [pending(["2-1", "bob", 1], ["3-1", "alice", 1])],
      },
      "XAUTOCLAIM of what has been idle for an hour": {
        before: STREAM,
        entries: ["XAUTOCLAIM s g bob 3600000 2-1"],
        after: [pending(["1-1", "alice", 1], ["2-1", "alice", 1], ["3-1", "alice", 1])],
      },
      "counters of XGROUP and XSETID": {
        before: ["XADD s 1-1 f a"],
        entries: [
          "XGROUP CREATE s g 1-1 ENTRIESREAD 1",
          "XGROUP CREATE new g $ MKSTREAM ENTRIESREAD 1",
          "XSETID s 9-5 ENTRIESADDED 3 MAXDELETEDID 2-0",
        ],
        after: [
          ["XADD s 9-6 f v", "9-6"],
          ["EXISTS new", 1],
        ],
      },
      "conditions of PEXPIREAT": {
        before: ["SET nx v", "SET gt v", "SET lt v PXAT 9000000000000"],
        entries: [
          "PEXPIREAT nx 8000000000000 NX",
          "PEXPIREAT nx 8500000000000 NX",
          "PEXPIREAT gt 8000000000000 GT",
          "PEXPIREAT lt 8000000000000 LT",
        ],
        after: [
          ["TTL gt", -1],
          ["OBJECT ENCODING nx", "embstr"],
        ],
      },
    };

    test.each(Object.entries(scenarios))("%s", async (_name, scenario) => {
      const effects = new JournalEffects(target);
      effects.translation = new JournalTranslation({ now: Date.now(), capabilities });
      expect(await effects.run(scenario)).toEqual(scenario.after);
    });
  });
});

/** The samples' sorted sets are not sorted. A score of -0 that comes by ZADD is stored as 0 in the small form of Redis 7.0 and later. */
function inOrder(value: Value): Value {
  if (value.type !== "zset") return value;
  const members = value.members.map(([member, score]) => [member, score + 0] as const);
  return { ...value, members: members.toSorted(([a], [b]) => (a < b ? -1 : 1)) };
}

/** The parts of `a` that `b` has, too: newer servers tell more. The lag is worked out by each in its own way. */
function common(a: unknown, b: unknown): unknown {
  if (Array.isArray(a)) return a.map((item, i) => common(item, (b as readonly unknown[] | undefined)?.[i]));
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) return a;
  const shared = Object.entries(a).filter(([name]) => name in b && name !== "lag");
  return Object.fromEntries(shared.map(([name, value]) => [name, common(value, b[name as never])]));
}

async function pendingIds(client: RespClient, key: string, group: string): Promise<string[]> {
  const reply = (await client.call("XPENDING", key, group, "-", "+", 10_000)) as (Buffer | number)[][];
  return reply.map(([id, consumer, , count]) => `${String(id)} ${String(consumer)} ${String(count)}`);
}

/** Of all consumers, by group. */
async function consumerTimes(client: RespClient, key: string, which: "seen-time" | "active-time"): Promise<string[]> {
  const reply = JSON.stringify(await client.call("XINFO", "STREAM", key, "FULL"), (_name, value: unknown) =>
    typeof value === "object" && value !== null && "data" in value
      ? Buffer.from(value.data as number[]).toString("latin1")
      : value,
  );
  return [...reply.matchAll(new RegExp(`"${which}",(\\d+)`, "g"))].map(([, time]) => time ?? "");
}
