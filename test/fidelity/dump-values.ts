/**
 * Commands that make values of every type and encoding that servers without modules have, under the key `k`. Which encoding comes of them is the
 * server's choice: 6.2 has ziplists where 7.0 has listpacks, 7.2 listpacks for small sets.
 */
import type { Argument } from "../support/resp-client.ts";

export type DumpCommand = readonly Argument[];

export type DumpValue = {
  readonly name: string;
  readonly commands: readonly DumpCommand[];
  /** Kept in a hash table: the order of its elements in a dump depends on how the table grew, so that a server's own RESTORE changes it. */
  readonly isUnordered?: boolean;
};

const TEXT = "x".repeat(100);
const LONG = "y".repeat(20_000);
const BINARY = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 131 + (i >> 3)) & 0xff));

function many(count: number, item: (i: number) => readonly Argument[]): Argument[] {
  return Array.from({ length: count }, (_, i) => item(i)).flat();
}

function added(count: number, key = "k"): DumpCommand[] {
  return Array.from({ length: count }, (_, i) => [
    "XADD",
    key,
    `${1000 + Math.floor(i / 3)}-${i % 3}`,
    "f",
    i,
    `g${i % 5}`,
    TEXT,
  ]);
}

const TEXTS: readonly (readonly [string, Argument])[] = [
  ["empty", ""],
  ["of one byte", "\0"],
  ["binary", BINARY],
  ["that compresses", LONG],
  [
    "incompressible and long",
    Buffer.from(Array.from({ length: 70_000 }, (_, i) => (Math.imul(i, 2_654_435_761) >>> 13) & 0xff)),
  ],
  ["an 8-bit integer", "-128"],
  ["a 16-bit integer", "32767"],
  ["a 32-bit integer", "-2147483648"],
  ["a 64-bit integer", "9223372036854775807"],
  ["a number beyond 64 bits", "9223372036854775808"],
  ["no number, with a zero before", "007"],
  ["a float", "3.0e10"],
];

const STRINGS: readonly DumpValue[] = TEXTS.map(([name, value]) => ({
  name: `string: ${name}`,
  commands: [["SET", "k", value]],
}));

const LISTS: readonly DumpValue[] = [
  { name: "list: small", commands: [["RPUSH", "k", "a", "", "-5", "123456789012", "\0\r\n", TEXT]] },
  {
    name: "list: numbers of every width",
    commands: [["RPUSH", "k", 0, 12, 127, -128, 4095, -4096, 32_767, 8_388_607, -2_147_483_648, "9223372036854775807"]],
  },
  { name: "list: with a long element", commands: [["RPUSH", "k", "a", LONG, "b", BINARY]] },
  { name: "list: of many nodes", commands: [["RPUSH", "k", ...many(3000, (i) => [`item ${i}`, i])]] },
  {
    name: "list: worn at both ends and inside",
    commands: [
      ["RPUSH", "k", ...many(2000, (i) => [`item ${i}`])],
      ["LPOP", "k", 77],
      ["RPOP", "k", 33],
      ["LREM", "k", 0, "item 900"],
      ["LINSERT", "k", "BEFORE", "item 1000", LONG],
      ["LPUSH", "k", "first"],
    ],
  },
];

const SETS: readonly DumpValue[] = [
  { name: "set: 16-bit integers", commands: [["SADD", "k", 1, -1, 32_767, 0]] },
  { name: "set: 32-bit integers", commands: [["SADD", "k", 1, -70_000]] },
  { name: "set: 64-bit integers", commands: [["SADD", "k", 1, 5_000_000_000, "-9223372036854775808"]] },
  { name: "set: most integers", commands: [["SADD", "k", ...many(512, (i) => [i * 3])]] },
  { name: "set: small", commands: [["SADD", "k", "a", "", TEXT.slice(0, 60), "7", "\xff"]], isUnordered: true },
  { name: "set: with a long member", commands: [["SADD", "k", "a", LONG, "7"]], isUnordered: true },
  { name: "set: large", commands: [["SADD", "k", ...many(3000, (i) => [`m${i}`])]], isUnordered: true },
];

const HASHES: readonly DumpValue[] = [
  { name: "hash: small", commands: [["HSET", "k", "f", 1, "", "", "g", "\xff", "h", "-70000"]] },
  { name: "hash: of one field", commands: [["HSET", "k", "f", "v"]] },
  { name: "hash: with a long value", commands: [["HSET", "k", "f", LONG, "n", 12_345]], isUnordered: true },
  { name: "hash: large", commands: [["HSET", "k", ...many(3000, (i) => [`f${i}`, TEXT])]], isUnordered: true },
];

const ZSETS: readonly DumpValue[] = [
  {
    name: "zset: small, scores of every kind",
    commands: [
      [
        "ZADD",
        "k",
        "1.1",
        "a",
        "-inf",
        "b",
        "inf",
        "c",
        "1e-300",
        "d",
        "0.1",
        "e",
        "5e-324",
        "f",
        17,
        "g",
        "9007199254740993",
        "h",
      ],
    ],
  },
  { name: "zset: with a score of -0", commands: [["ZADD", "k", "-0", "a", "0", "b", "-0", TEXT]] },
  {
    name: "zset: with a long member",
    commands: [["ZADD", "k", 3, LONG, "-0.30000000000000004", "a", "inf", "b", "-inf", "c", "-0", "d"]],
  },
  { name: "zset: large", commands: [["ZADD", "k", ...many(3000, (i) => [i / 7, `m${i}`])]] },
];

const READ: readonly DumpCommand[] = [
  ...added(600),
  ["XADD", "k", "18446744073709551615-5", "last", ""],
  ["XDEL", "k", "1005-1", "1006-0", "1000-0"],
  ["XGROUP", "CREATE", "k", "unread", "0"],
  ["XGROUP", "CREATE", "k", "read", "0"],
  ["XREADGROUP", "GROUP", "read", "alice", "COUNT", 300, "STREAMS", "k", ">"],
  ["XREADGROUP", "GROUP", "read", "bob", "COUNT", 40, "STREAMS", "k", ">"],
  ["XCLAIM", "k", "read", "carol", 0, "1001-0", "1002-0", "RETRYCOUNT", 9, "TIME", 123_456, "FORCE"],
  ["XACK", "k", "read", "1002-1", "1003-1"],
  ["XGROUP", "CREATECONSUMER", "k", "unread", "nobody"],
  ["XGROUP", "CREATE", "k", "somewhere", "1050-1"],
];

const STREAMS: readonly DumpValue[] = [
  { name: "stream: one entry", commands: [["XADD", "k", "1-1", "f", "v"]] },
  {
    name: "stream: entries of unlike fields",
    commands: [
      ["XADD", "k", "1-1", "f", "v"],
      ["XADD", "k", "1-2", "other", "v", "", BINARY],
      ["XADD", "k", "9-0", "f", "7"],
    ],
  },
  { name: "stream: of many nodes", commands: added(1200) },
  { name: "stream: groups, consumers, pending entries", commands: READ },
  {
    name: "stream: pending entries of deleted and of trimmed messages",
    commands: [...READ, ["XDEL", "k", "1010-0", "1020-0"], ["XTRIM", "k", "MINID", "1003-0"]],
  },
  { name: "stream: trimmed to nothing, with groups", commands: [...READ, ["XTRIM", "k", "MAXLEN", 0]] },
  { name: "stream: never an entry", commands: [["XGROUP", "CREATE", "k", "g", "0", "MKSTREAM"]] },
];

export const DUMP_VALUES: readonly DumpValue[] = [...STRINGS, ...LISTS, ...SETS, ...HASHES, ...ZSETS, ...STREAMS];
