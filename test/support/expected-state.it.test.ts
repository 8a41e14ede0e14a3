import { describe, expect, test } from "vitest";
import { compareWithExpected, type Difference, UNHOLDABLE_TYPES } from "./expected-state.ts";
import { expectedKey } from "./expected-value.ts";
import { loadState } from "./load-state.ts";
import { expectedLines, openRecording, recordedBytes, recordingNames } from "./recordings.ts";
import { useRedis } from "./use-redis.ts";

const redis = useRedis();

describe("a target that holds the expected state", () => {
  test.each(recordingNames())("%s: has no difference", async (name) => {
    const recording = openRecording(name);
    const lines = expectedLines(recording);
    await loadState(redis.client, lines.map(expectedKey));
    const comparison = await compareWithExpected({ recording, port: redis.server.port });
    expect(comparison.differences).toEqual([]);
    const counted = [...Object.values(comparison.equal), ...Object.values(comparison.skipped), comparison.expired];
    expect(counted.reduce((sum, n) => sum + n, 0)).toBe(lines.length);
    expect(Object.keys(comparison.equal).filter((type) => UNHOLDABLE_TYPES.has(type))).toEqual([]);
  });
});

type Planted = {
  readonly commands: readonly (readonly (string | number | Buffer)[])[];
  readonly finds: readonly Pick<Difference, "kind" | "db" | "key" | "where">[];
};

/** Each makes one thing wrong in a server that is otherwise right. */
const PLANTED: Readonly<Record<string, Planted>> = {
  "a missing key": {
    commands: [["DEL", "h:0"]],
    finds: [{ kind: "missing", db: 0, key: "h:0", where: "key" }],
  },
  "an extra key": {
    commands: [["SET", "never there", "x"]],
    finds: [{ kind: "extra", db: 0, key: "never there", where: "key" }],
  },
  "an extra key in a database that should be empty": {
    commands: [
      ["SELECT", 9],
      ["SET", "astray", "x"],
    ],
    finds: [{ kind: "extra", db: 9, key: "astray", where: "key" }],
  },
  "a key in the wrong database": {
    commands: [["MOVE", "h:0", 7]],
    finds: [
      { kind: "missing", db: 0, key: "h:0", where: "key" },
      { kind: "extra", db: 7, key: "h:0", where: "key" },
    ],
  },
  "another type": {
    commands: [
      ["DEL", "h:0"],
      ["RPUSH", "h:0", "a"],
    ],
    finds: [{ kind: "type", db: 0, key: "h:0", where: "type" }],
  },
  "one byte of a binary string": {
    commands: [["SETRANGE", Buffer.from("000102fffe0a0d", "hex"), 3, Buffer.from([0xff])]],
    finds: [{ kind: "value", db: 0, key: "\\x00\\x01\\x02\\xff\\xfe\\x0a\\x0d", where: "value" }],
  },
  "another order in a list": {
    commands: [["LMOVE", "list:mix", "list:mix", "LEFT", "RIGHT"]],
    finds: [{ kind: "value", db: 0, key: "list:mix", where: expect.stringMatching(/^item 0 of \d+$/) as string }],
  },
  "an item too many at the end of a list": {
    commands: [["RPUSH", "list:mix", "x"]],
    finds: [{ kind: "value", db: 0, key: "list:mix", where: expect.stringMatching(/^item \d+ of \d+$/) as string }],
  },
  "a member too few in a set": {
    commands: [["SREM", "set:int32", "1"]],
    finds: [{ kind: "value", db: 0, key: "set:int32", where: "member 1" }],
  },
  "a member too many in a set": {
    commands: [["SADD", "set:int32", "2"]],
    finds: [{ kind: "value", db: 0, key: "set:int32", where: "member 2" }],
  },
  "a field with another value": {
    commands: [["HSET", "h:0", "f0", "x"]],
    finds: [{ kind: "value", db: 0, key: "h:0", where: "field f0" }],
  },
  "a field too many": {
    commands: [["HSET", "h:0", "g", "x"]],
    finds: [{ kind: "value", db: 0, key: "h:0", where: "field g" }],
  },
  "a score off by its last bit": {
    commands: [["ZADD", "zset:prec", "0.3", "x"]],
    finds: [{ kind: "value", db: 0, key: "zset:prec", where: expect.stringMatching(/^rank 2 of/) as string }],
  },
  "a member too few in a sorted set": {
    commands: [["ZREM", "zset:prec", "max"]],
    finds: [{ kind: "value", db: 0, key: "zset:prec", where: expect.stringMatching(/^rank 5 of/) as string }],
  },
  "no deadline": {
    commands: [["PERSIST", "hash:ttl"]],
    finds: [{ kind: "deadline", db: 0, key: "hash:ttl", where: "deadline" }],
  },
  "a deadline off by a millisecond": {
    commands: [["PEXPIREAT", "hash:ttl", 1893456000078]],
    finds: [{ kind: "deadline", db: 0, key: "hash:ttl", where: "deadline" }],
  },
  "a deadline where there is none": {
    commands: [["PEXPIREAT", "h:0", 1893456000078]],
    finds: [{ kind: "deadline", db: 0, key: "h:0", where: "deadline" }],
  },
  "a stream entry too few": {
    commands: [["XTRIM", "stream:many", "MAXLEN", 5]],
    finds: [{ kind: "value", db: 0, key: "stream:many", where: expect.stringMatching(/^entry 0 of/) as string }],
  },
  "another last id of a stream": {
    commands: [["XSETID", "stream:emptied", "5-6"]],
    finds: [{ kind: "value", db: 0, key: "stream:emptied", where: "last id" }],
  },
  "a stream without one of its groups": {
    commands: [["XGROUP", "DESTROY", "stream:emptied", "g"]],
    finds: [{ kind: "value", db: 0, key: "stream:emptied", where: "group 0 of 1" }],
  },
  "a stream group at another id": {
    commands: [["XGROUP", "SETID", "stream:emptied", "g", "1-1"]],
    finds: [{ kind: "value", db: 0, key: "stream:emptied", where: "group 0 of 1" }],
  },
  "a pending entry too few": {
    commands: [["XACK", "j:x", "g", "1795333017440-0"]],
    finds: [{ kind: "value", db: 0, key: "j:x", where: "pending of g: 0 of 2" }],
  },
  "a pending entry of another consumer": {
    commands: [["XGROUP", "DELCONSUMER", "j:x", "g", "c3"]],
    finds: [{ kind: "value", db: 0, key: "j:x", where: "pending of g: 0 of 2" }],
  },
  "another delivery count": {
    commands: [
      ["DEL", "j:x"],
      ["XADD", "j:x", "1795333017440-0", "gone", ""],
      ["XADD", "j:x", "1795333017440-1", "gone", ""],
      ["XADD", "j:x", "1795333017440-2", "a", "4"],
      ["XGROUP", "CREATE", "j:x", "g", "0-0"],
      ["XCLAIM", "j:x", "g", "c3", 0, "1795333017440-0", "RETRYCOUNT", 2, "FORCE", "JUSTID"],
      ["XCLAIM", "j:x", "g", "c3", 0, "1795333017440-1", "RETRYCOUNT", 3, "FORCE", "JUSTID"],
      ["XDEL", "j:x", "1795333017440-0", "1795333017440-1"],
      ["XSETID", "j:x", "9999999999999-5"],
    ],
    finds: [{ kind: "value", db: 0, key: "j:x", where: "pending of g: 1 of 2" }],
  },
  "a key of a type that the target cannot hold": {
    commands: [["SET", "bf", "half a filter"]],
    finds: [{ kind: "unholdable", db: 0, key: "bf", where: "key" }],
  },
};

describe("a planted difference is found", () => {
  const recording = openRecording("dragonfly-1.40.1/types");
  test.each(Object.entries(PLANTED))("%s", async (_name, { commands, finds }) => {
    await loadState(redis.client, expectedLines(recording).map(expectedKey));
    for (const command of commands) await redis.client.call(...command);
    await redis.client.call("SELECT", 0);
    const { differences } = await compareWithExpected({ recording, port: redis.server.port });
    expect(differences).toEqual(finds.map((find): unknown => expect.objectContaining(find)));
  });
});

describe("deadlines that passed since the recording", () => {
  const recording = openRecording("dragonfly-1.40.1/expiry");
  const find = async (...command: (string | number)[]): Promise<readonly Difference[]> => {
    await redis.client.call("FLUSHALL");
    await loadState(redis.client, expectedLines(recording).map(expectedKey));
    await redis.client.call(...command);
    return (await compareWithExpected({ recording, port: redis.server.port })).differences;
  };

  test("a key that should be gone is found", async () => {
    expect(await find("SET", "e:0", "renewed")).toEqual([expect.objectContaining({ kind: "extra", key: "e:0" })]);
  });

  test("a key that was persisted in time may be lost", async () => {
    expect(await find("DEL", "eh:0")).toEqual([]);
  });

  test("a key that was persisted in time may not be another", async () => {
    expect(await find("HSET", "eh:0", "a", "2")).toEqual([expect.objectContaining({ kind: "value", key: "eh:0" })]);
  });

  test("members that the master lost by their deadlines may be left", async () => {
    expect(await find("HSET", "ehx", "f1", "v1")).toEqual([]);
    expect(await find("SADD", "esx", "m1", "m2")).toEqual([]);
    expect(await find("HSET", "ehall", "f", "v")).toEqual([]);
  });

  test("others may not, nor with other values", async () => {
    expect(await find("HSET", "ehx", "f3", "v1")).toEqual([
      expect.objectContaining({ kind: "value", where: "field f3" }),
    ]);
    expect(await find("HSET", "ehx", "f1", "other")).toEqual([
      expect.objectContaining({ kind: "value", where: "field f1" }),
    ]);
    expect(await find("SADD", "esx", "m3")).toEqual([expect.objectContaining({ kind: "value", where: "member m3" })]);
    expect(await find("HSET", "ehall", "g", "v")).toEqual([expect.objectContaining({ kind: "extra", key: "ehall" })]);
  });

  test("in another recording, whose member deadlines are long, none may be left", async () => {
    const types = openRecording("dragonfly-1.40.1/types");
    await loadState(redis.client, expectedLines(types).map(expectedKey));
    await redis.client.call("HSET", "hash:fieldttl", "f3", "x");
    const { differences } = await compareWithExpected({ recording: types, port: redis.server.port });
    expect(differences).toEqual([expect.objectContaining({ kind: "value", key: "hash:fieldttl", where: "field f3" })]);
  });
});

describe("JSON documents", () => {
  const recording = openRecording("dragonfly-1.40.1/types");
  const documents = expectedLines(recording).filter(({ type }) => type === "ReJSON-RL");
  const load = async (change: (text: string) => string): Promise<void> => {
    await redis.client.call("FLUSHALL");
    await loadState(redis.client, expectedLines(recording).map(expectedKey));
    for (const { db, key, value } of documents)
      await redis.client.pipeline([
        ["SELECT", db],
        ["SET", recordedBytes(key), change(value as string)],
      ]);
  };
  const compare = async (as: "text" | "dropped" | undefined): Promise<readonly Difference[]> =>
    (await compareWithExpected({ recording, port: redis.server.port, documents: as })).differences;

  test("may be strings that say the same", async () => {
    await load((text) => JSON.stringify(JSON.parse(text), undefined, 1));
    expect(await compare("text")).toEqual([]);
    expect(await compare(undefined)).toEqual([]);
    expect(await compare("dropped")).toHaveLength(documents.length);
  });

  test("may not be strings that say something else", async () => {
    await load((text) => `[${text}]`);
    expect(await compare("text")).toHaveLength(documents.length);
    expect(await compare(undefined)).toHaveLength(documents.length);
  });

  test("may be missing, unless they are to be strings", async () => {
    await redis.client.call("FLUSHALL");
    await loadState(redis.client, expectedLines(recording).map(expectedKey));
    expect(await compare("dropped")).toEqual([]);
    expect(await compare(undefined)).toEqual([]);
    expect(await compare("text")).toEqual(documents.map(() => expect.objectContaining({ kind: "missing" })));
  });
});
