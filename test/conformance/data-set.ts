/**
 * Commands that fill a source with every type in every encoding and size, in several databases, and commands that change all of it again. Names are
 * under a prefix, so that a set can be written before, during and after a snapshot. Only commands that every source knows.
 */
export type Command = readonly (string | number | Buffer)[];

/** Above the 64 KiB from which on a value is sent in chunks. */
const LARGE = 200_000;

/** All bytes, so that nothing is text by chance. */
function binary(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed * 2_654_435_761 + 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

function text(size: number): string {
  return "the quick brown fox jumps over the lazy dog. ".repeat(Math.ceil(size / 45)).slice(0, size);
}

function range<T>(count: number, of: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => of(i));
}

/** Every type, encoding and size, for the database that is selected. */
export function typesOf(prefix: string): Command[] {
  const key = (name: string): string => `${prefix}:${name}`;
  const far = Date.now() + 3_600_000;
  return [
    ...strings(key, far),
    ...lists(key),
    ...sets(key),
    ...hashes(key),
    ...zsets(key),
    ...streams(key),
    ...deadlines(key, far),
  ];
}

type KeyOf = (name: string) => string;

function strings(key: KeyOf, far: number): Command[] {
  const integers = [
    0,
    -1,
    127,
    128,
    -129,
    32_768,
    -32_769,
    2_147_483_648,
    "9223372036854775807",
    "-9223372036854775808",
  ];
  return [
    ...integers.map((value, i) => ["SET", key(`int:${i}`), value]),
    ...[1, 11, 12, 44, 63, 64, 255, 4096, 16_384, 70_000, 300_000].flatMap((size) => [
      ["SET", key(`text:${size}`), text(size)],
      ["SET", key(`bytes:${size}`), binary(size, size)],
    ]),
    ["SET", key("empty"), ""],
    ["SET", key("like-a-number"), "007"],
    ["SET", key("like-a-float"), "1.50"],
    ["SET", binary(40, 9), "a key of any bytes"],
    ["SET", key("with-deadline"), "x", "PXAT", far],
    ["SETRANGE", key("holes"), 5000, "end"],
  ];
}

function lists(key: KeyOf): Command[] {
  return [
    ["RPUSH", key("list:small"), "a", "b", "", "1", "-77", binary(30, 1)],
    ["RPUSH", key("list:long"), ...range(2000, (i) => `element ${i}`)],
    ["RPUSH", key("list:wide"), ...range(12, (i) => binary(20_000, i))],
    ["RPUSH", key("list:one-large"), text(LARGE), "small"],
    ["LPUSH", key("list:numbers"), ...range(500, (i) => i * 1_000_003)],
  ];
}

function sets(key: KeyOf): Command[] {
  return [
    ["SADD", key("set:int16"), ...range(20, (i) => i - 10)],
    ["SADD", key("set:int32"), ...range(100, (i) => i * 70_000)],
    ["SADD", key("set:int64"), 1, "9223372036854775807", "-9223372036854775808"],
    ["SADD", key("set:small"), "a", "b", "", "12", binary(20, 2)],
    ["SADD", key("set:long"), ...range(2000, (i) => `member ${i}`)],
    ["SADD", key("set:wide"), ...range(25, (i) => binary(4000, i + 7))],
  ];
}

function hashes(key: KeyOf): Command[] {
  return [
    ["HSET", key("hash:small"), "a", 1, "b", "", "", "empty name", "c", binary(50, 3)],
    ["HSET", key("hash:one"), "only", text(30)],
    ["HSET", key("hash:long"), ...range(1500, (i) => [`field ${i}`, `value ${i}`]).flat()],
    ["HSET", key("hash:wide"), ...range(30, (i) => [`f${i}`, binary(5000, i + 9)]).flat()],
    ["HSET", key("hash:one-large"), "large", text(LARGE), "small", "x"],
  ];
}

function zsets(key: KeyOf): Command[] {
  const scores = [
    "0",
    "1",
    "-1",
    "0.1",
    "1e300",
    "-1e300",
    "5e-324",
    "inf",
    "-inf",
    "3.0000000000000004",
    "123456789.125",
    "9007199254740993",
  ];
  return [
    ["ZADD", key("zset:small"), ...scores.flatMap((score, i) => [score, `m${i}`])],
    ["ZADD", key("zset:same"), ...range(50, (i) => [7, `m${i}`]).flat()],
    ["ZADD", key("zset:long"), ...range(1500, (i) => [(i * 37) % 1009, `member ${i}`]).flat()],
    ["ZADD", key("zset:wide"), ...range(25, (i) => [i / 3, binary(3000, i + 11)]).flat()],
  ];
}

function streams(key: KeyOf): Command[] {
  const small = key("stream:small");
  const long = key("stream:long");
  return [
    ...range(5, (i) => ["XADD", small, `${1000 + i}-${i}`, "field", i, "other", binary(20, i)]),
    ["XADD", small, "2000-0", "different", "fields", "here", "x"],
    ["XGROUP", "CREATE", small, "group", 0],
    ["XGROUP", "CREATE", small, "at the end", "$"],
    ["XREADGROUP", "GROUP", "group", "alice", "COUNT", 3, "STREAMS", small, ">"],
    ["XREADGROUP", "GROUP", "group", "bob", "COUNT", 2, "STREAMS", small, ">"],
    ["XACK", small, "group", "1001-1"],
    ...range(700, (i) => ["XADD", long, `${i + 1}-0`, "n", i, "text", text(80)]),
    ["XDEL", long, "5-0", "400-0"],
    ["XADD", key("stream:emptied"), "1-1", "a", "b"],
    ["XDEL", key("stream:emptied"), "1-1"],
    ...range(8, (i) => ["XADD", key("stream:wide"), `${i + 1}-0`, "large", binary(15_000, i)]),
  ];
}

function deadlines(key: KeyOf, far: number): Command[] {
  return [
    ["RPUSH", key("list:deadline"), "a"],
    ["PEXPIREAT", key("list:deadline"), far + 1],
    ["SADD", key("set:deadline"), "a"],
    ["PEXPIREAT", key("set:deadline"), far + 2],
    ["HSET", key("hash:deadline"), "a", "b"],
    ["PEXPIREAT", key("hash:deadline"), far + 3],
    ["ZADD", key("zset:deadline"), 1, "a"],
    ["PEXPIREAT", key("zset:deadline"), far + 4],
    ["XADD", key("stream:deadline"), "1-1", "a", "b"],
    ["PEXPIREAT", key("stream:deadline"), far + 5],
    ["SET", key("persisted"), "x", "EX", 1000],
    ["PERSIST", key("persisted")],
  ];
}

/** In two databases, and something in two more. */
export function inDatabases(commands: readonly Command[]): Command[] {
  return [
    ["SELECT", 5],
    ...commands,
    ...[1, 15].flatMap((db) => [
      ["SELECT", db],
      ["INCR", "counter"],
      ["HSET", "hash", "database", db],
    ]),
    ["SELECT", 0],
    ...commands,
  ];
}

/** What a set of `typesOf` turns into by further writes of every kind. Keys that it makes begin with the same prefix. */
export function changesOf(prefix: string): Command[] {
  const key = (name: string): string => `${prefix}:${name}`;
  return [
    ...changedStrings(key),
    ...changedCollections(key),
    ...changedStreams(key),
    ...movedKeys(key),
    ["MULTI"],
    ["INCR", key("counter")],
    ["RPUSH", key("list:small"), "in a transaction"],
    ["MSET", key("m1"), "1", key("m2"), "2", key("m3"), "3"],
    ["DEL", key("text:11"), key("bytes:11"), key("missing")],
    ["EXEC"],
  ];
}

function changedStrings(key: KeyOf): Command[] {
  return [
    ["INCRBY", key("int:0"), 77],
    ["DECR", key("int:4")],
    ["APPEND", key("text:44"), binary(100, 5)],
    ["APPEND", key("text:70000"), text(70_000)],
    ["SETRANGE", key("bytes:4096"), 10, "overwritten"],
    ["GETSET", key("text:12"), "new"],
    ["SET", key("text:64"), "x", "XX", "KEEPTTL"],
    ["SETEX", key("bytes:64"), 5000, "with a deadline"],
    ["GETEX", key("bytes:255"), "PERSIST"],
    ["SET", key("bytes:300000"), binary(400_000, 6)],
    ["DEL", key("empty"), key("like-a-number"), key("text:255")],
  ];
}

function changedCollections(key: KeyOf): Command[] {
  return [
    ["LPUSH", key("list:long"), "first"],
    ["LTRIM", key("list:long"), 5, 1500],
    ["LSET", key("list:long"), 7, "set"],
    ["LREM", key("list:small"), 1, "a"],
    ["LINSERT", key("list:small"), "BEFORE", "b", "inserted"],
    ["RPOP", key("list:wide"), 3],
    ["SREM", key("set:long"), "member 1", "member 2", "nobody"],
    ["SADD", key("set:int16"), "no number any more"],
    ["SPOP", key("set:int32"), 5],
    ["SMOVE", key("set:long"), key("set:small"), "member 77"],
    ["HINCRBY", key("hash:small"), "a", 41],
    ["HDEL", key("hash:long"), "field 1", "field 2"],
    ["HSET", key("hash:wide"), "f0", "short now"],
    ["HSETNX", key("hash:one"), "second", binary(100, 8)],
    ["ZINCRBY", key("zset:small"), "0.2", "m3"],
    ["ZADD", key("zset:long"), "GT", "CH", 5000, "member 9"],
    ["ZREM", key("zset:wide"), binary(3000, 11)],
    ["ZPOPMIN", key("zset:long"), 3],
    ["ZREMRANGEBYSCORE", key("zset:long"), 10, 20],
    ["SUNIONSTORE", key("set:union"), key("set:int16"), key("set:small"), key("set:int64")],
    // Scores of few digits: 1.40 journals those of a store with six.
    ["ZUNIONSTORE", key("zset:union"), 2, key("zset:same"), key("zset:long"), "WEIGHTS", 2, 1],
  ];
}

function changedStreams(key: KeyOf): Command[] {
  const small = key("stream:small");
  return [
    ["XADD", small, "3000-0", "later", "x"],
    ["XREADGROUP", "GROUP", "group", "carol", "COUNT", 10, "STREAMS", small, ">"],
    ["XREADGROUP", "GROUP", "at the end", "alice", "STREAMS", small, ">"],
    ["XACK", small, "group", "1000-0", "1003-3"],
    ["XCLAIM", small, "group", "dave", 0, "1002-2"],
    ["XDEL", small, "1001-1"],
    ["XADD", key("stream:long"), "MAXLEN", 300, "5000-0", "n", "last"],
    ["XTRIM", key("stream:wide"), "MAXLEN", 5],
    ["XGROUP", "CREATE", key("stream:emptied"), "g", "$"],
  ];
}

/** Many, so that some stay on their shard and some do not. */
function movedKeys(key: KeyOf): Command[] {
  const kinds: readonly (readonly [string, (name: string) => Command])[] = [
    ["s", (name) => ["SET", name, `value of ${name}`, "EX", 4000]],
    ["l", (name) => ["RPUSH", name, 1, 2, name]],
    ["t", (name) => ["SADD", name, 1, 2, name]],
    ["h", (name) => ["HSET", name, 1, 2, name, name]],
    ["z", (name) => ["ZADD", name, 1.5, "a", 2, name]],
    ["x", (name) => ["XADD", name, "1-1", "a", name]],
  ];
  return kinds.flatMap(([kind, make]) =>
    range(6, (i) => {
      const from = key(`move:${kind}:${i}`);
      return [make(from), ["COPY", from, key(`copied:${kind}:${i}`)], ["RENAME", from, key(`renamed:${kind}:${i}`)]];
    }).flat(),
  );
}
