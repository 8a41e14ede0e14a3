/** Every command of the table, translated and run on a real server: a state before, the entry, the state after. */
import { beforeEach, describe, expect, test } from "vitest";
import { FUTURE_MS, JournalEffects } from "../../../test/support/journal-effects.ts";
import { COLLECTION_SCENARIOS } from "../../../test/support/journal-scenarios-collections.ts";
import { KEY_SCENARIOS } from "../../../test/support/journal-scenarios-keys.ts";
import { JOURNAL_COMMANDS } from "./journal-command-table.ts";
import { useRedis } from "../../../test/support/use-redis.ts";

const DAY_MS = 24 * 3600 * 1000;
const SCENARIOS = { ...KEY_SCENARIOS, ...COLLECTION_SCENARIOS };

const redis = useRedis();
let effects: JournalEffects;

beforeEach(() => {
  effects = new JournalEffects(redis.client);
});

describe("each command of the table has its effect", () => {
  // RESTORE needs dumps: below.
  const written = JOURNAL_COMMANDS.filter(
    ([name, { kind }]) => (kind === "pass" || kind === "rewrite") && name !== "RESTORE",
  );

  test.each(written.map(([name]) => name))("%s", async (name) => {
    const scenario = SCENARIOS[name] ?? { entries: [], after: [["no scenario for it", ""]] };
    expect(await effects.run(scenario)).toEqual(scenario.after);
  });
});

describe("numbers are printed as Dragonfly prints them", () => {
  const doubles = [
    0.1,
    1e21,
    1e20,
    123456789012345680000,
    1e-6,
    1e-7,
    1.5e-9,
    -0.5,
    12345.678,
    5e-324,
    1.7976931348623157e308,
    2 ** 53,
    100,
    -1e21,
    0.000001234,
    1 / 3,
    1e22 / 7,
  ];

  test.each(doubles)("%d", async (value) => {
    const entries = [
      ["INCRBYFLOAT", "k", value],
      ["HINCRBYFLOAT", "h", "f", value],
    ];
    const after = [
      ["GET k", String(value)],
      ["HGET h f", String(value)],
    ] as const;
    expect(await effects.run({ entries, after })).toEqual(after);
  });

  test("and added as doubles, many times over", async () => {
    const steps = Array.from({ length: 200 }, (_, i) => (i % 7) * 0.1 - 0.3);
    let sum = 0;
    for (const step of steps) sum += step;
    const answers = await effects.run({
      entries: steps.map((step) => ["INCRBYFLOAT", "k", step]),
      after: [["GET k", ""]],
    });
    expect(answers).toEqual([["GET k", String(sum)]]);
  });
});

describe("RESTORE", () => {
  async function dumpOf(...value: string[]): Promise<Buffer> {
    const [command = "", ...args] = value;
    await redis.client.call(command, "made", ...args);
    const dump = (await redis.client.call("DUMP", "made")) as Buffer;
    await redis.client.call("DEL", "made");
    return Buffer.from(dump);
  }

  test("puts a dump in place of whatever is there, with its deadline", async () => {
    const dump = await dumpOf("RPUSH", "a", "b");
    const entries = [
      ["RESTORE", "k", FUTURE_MS, dump, "REPLACE", "ABSTTL", "STICK"],
      ["RESTORE", "m", "0", dump],
    ];
    const after = [
      ["LRANGE k 0 -1", ["a", "b"]],
      ["PEXPIRETIME k", FUTURE_MS],
      ["LRANGE m 0 -1", ["a", "b"]],
      ["PTTL m", -1],
    ] as const;
    expect(await effects.run({ before: ["SET k old"], entries, after })).toEqual(after);
  });

  test("a dump stamped by a newer server is taken", async () => {
    const dump = await dumpOf("SET", "hello");
    dump.writeUInt16LE(12, dump.length - 10);
    const entries = [["RESTORE", "k", "0", dump, "REPLACE", "ABSTTL"]];
    expect(await effects.run({ entries, after: [["GET k", ""]] })).toEqual([["GET k", "hello"]]);
  });

  test("one whose deadline is past leaves nothing, and no error", async () => {
    const entries = [["RESTORE", "k", "1000", await dumpOf("SET", "hello"), "REPLACE", "ABSTTL"]];
    const after = [["EXISTS k", 0]] as const;
    expect(await effects.run({ before: ["SET k old"], entries, after }, { release: true })).toEqual(after);
  });
});

describe("deadlines that are past when they arrive", () => {
  const past = Date.now() - DAY_MS;

  test.each([
    [
      "end the key when nothing renewed it",
      [`SET a 1 PXAT ${past}`, "SET b 1", `PEXPIREAT b ${past}`, `SET c 1 PXAT ${past}`, "SET c 2 KEEPTTL"],
      [["EXISTS a b c", 0]],
    ],
    [
      "do not end it when a later entry did",
      [
        "HSET h a 1",
        `PEXPIREAT h ${past}`,
        "PERSIST h",
        "HSET i a 1",
        `PEXPIREAT i ${past}`,
        `PEXPIREAT i ${FUTURE_MS}`,
      ],
      [
        ["HGETALL h", ["a", "1"]],
        ["PTTL h", -1],
        ["PEXPIRETIME i", FUTURE_MS],
      ],
    ],
    [
      "do not end another value that took the key without a word about deadlines",
      [
        `SET s 1 PXAT ${past}`,
        "GETDEL s",
        "RPUSH s x",
        `SET t 1 PXAT ${past}`,
        "GETSET t 2",
        `SET u 1 PXAT ${past}`,
        "SET u 2",
      ],
      [
        ["LRANGE s 0 -1", ["x"]],
        ["MGET t u", ["2", "2"]],
        ["PTTL u", -1],
      ],
    ],
    [
      "go along with the key",
      [
        `SET a 1 PXAT ${past}`,
        "RENAME a b",
        `SET c 1 PXAT ${past}`,
        "MOVE c 3",
        `SET d 1 PXAT ${past}`,
        `SET e 1 PXAT ${FUTURE_MS}`,
        "RENAME e d",
      ],
      [
        ["EXISTS a b c", 0],
        ["PEXPIRETIME d", FUTURE_MS],
        ["SELECT 3", "OK"],
        ["EXISTS c", 0],
      ],
    ],
    [
      "of many keys at once",
      [...Array.from({ length: 1000 }, (_, i) => `SET k${i} v PXAT ${past}`), "PERSIST k7"],
      [
        ["DBSIZE", 1],
        ["GET k7", "v"],
      ],
    ],
  ] as const)("%s", async (_, entries, after) => {
    expect(await effects.run({ entries, after }, { release: true })).toEqual(after);
  });
});

test("an error inside a script names its cause", async () => {
  await expect(effects.run({ before: ["RPUSH k x"], entries: ["PREPEND k v"], after: [] })).rejects.toThrow(
    /^WRONGTYPE /,
  );
});
