/** One value of each object type at least, with the encodings that matter; small, so that each can be run in many ways. */
import { lenAs, moduleItem, wire, wireInteger, wireLzf } from "./rdb-builder.ts";
import { stream, streamId } from "./rdb-streams.ts";
import {
  bloom,
  bloom2,
  type BuiltValue,
  countMin,
  cuckoo,
  hash,
  hashListpack,
  hashTtl,
  hashZiplist,
  hashZipmap,
  json,
  list,
  listZiplist,
  moduleValue,
  oldJson,
  quicklist,
  quicklist2,
  reJson,
  set,
  setIntset,
  setListpack,
  setTtl,
  topK,
  zset2,
  zsetListpack,
  zsetText,
  zsetZiplist,
} from "./rdb-values.ts";

export type Sample = {
  readonly name: string;
  readonly value: BuiltValue;
  /** Of the stream it stands in. */
  readonly version: number;
};

const b = (text: string): Buffer => Buffer.from(text, "latin1");
/** Long enough for the longer length forms, and LZF shrinks it. */
const long = `${"ab".repeat(40)}${"z".repeat(300)}`;
const binary = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i));

const STRINGS = [
  wire(""),
  wire("a"),
  wire("six", 6),
  wire("fourteen", 14),
  wire("thirty-two", 32),
  wire("sixty-four", 64),
  wire(binary),
  wireInteger(-128, 1),
  wireInteger(127, 1),
  wireInteger(-32_768, 2),
  wireInteger(32_767, 2),
  wireInteger(-2_147_483_648, 4),
  wireInteger(2_147_483_647, 4),
  wireLzf(long),
];
const PAIRED = STRINGS.map((field, i) => [field, STRINGS[(i + 5) % STRINGS.length] ?? field] as const);
/** Elements of packed bodies; also scores. */
const NUMBERS = [0n, -1n, 12n, 127n, -4096n, 40_000n, -8_388_608n, 2_147_483_647n, -(2n ** 63n)];
const PACKED = NUMBERS.flatMap((number, i) => [b(`m${i}`.repeat(i * i)), number]);
const TEXTS = [b(""), b("x"), b(long), b("y".repeat(70)), 5n, -70_000n];

const FEW = streamId(1_700_000_000_000, 0);
const ENTRIES = [
  { id: FEW, fields: [b("temp"), 20n, b("unit"), b("C")], sameFields: true },
  { id: streamId(1_700_000_000_000, 7), fields: [b("other"), b(long)] },
  { id: streamId(1_700_000_000_001, 0), fields: [b("gone"), 1n], deleted: true },
  { id: streamId(2n ** 63n, 2n ** 64n - 1n), fields: [b("temp"), -3n, b("unit"), b("F")], sameFields: true },
];
const SECOND_NODE = [{ id: streamId(2n ** 63n + 1n, 0), fields: [b("f"), b("v")], sameFields: true }];
const GROUP = {
  name: "workers",
  lastId: streamId(1_700_000_000_000, 7),
  entriesRead: 2n,
  pending: [
    { id: FEW, timeMs: 1_700_000_000_123, deliveries: 1 },
    { id: streamId(1_700_000_000_000, 7), timeMs: 1_700_000_000_456, deliveries: 70_000 },
  ],
  consumers: [
    { name: "alice", seenMs: 1_700_000_001_000, activeMs: 1_700_000_000_900, pending: [FEW] },
    { name: "idle", seenMs: 5, activeMs: -1, pending: [] },
    { name: "bob", seenMs: 1_700_000_001_001, activeMs: 1_700_000_000_901, pending: [streamId(1_700_000_000_000, 7)] },
  ],
};
const EMPTY_GROUP = { name: "", lastId: streamId(0, 0), entriesRead: -1n, pending: [], consumers: [] };

function streamSamples(type: 15 | 19 | 21): Sample[] {
  const lastId = streamId(2n ** 63n + 1n, 5);
  const make = (name: string, value: BuiltValue): Sample => ({ name: `stream ${type}, ${name}`, value, version: 9 });
  return [
    make(
      "two nodes, groups",
      stream({
        type,
        nodes: [ENTRIES, SECOND_NODE],
        groups: [EMPTY_GROUP, GROUP],
        lastId,
        maxDeletedId: streamId(1_700_000_000_001, 0),
      }),
    ),
    make("no groups, LZF", stream({ type, nodes: [ENTRIES], groups: [], lastId, wrap: wireLzf })),
    make("nothing in it", stream({ type, nodes: [], groups: [], lastId: streamId(0, 0) })),
    make("groups only", stream({ type, nodes: [], groups: [{ ...GROUP, pending: [], consumers: [] }], lastId })),
  ];
}

const FILTERS = [
  { hashes: 7, bytes: binary.subarray(0, 100) },
  { hashes: 9, bytes: Buffer.alloc(200, 7) },
];

const NAMED: Readonly<Record<string, BuiltValue>> = {
  "list 1": list(STRINGS),
  "list 1, empty": list([]),
  "set 2": set(STRINGS),
  "zset 3": zsetText(
    STRINGS.map((member, i) => [member, ["1", "-0.5", "inf", "-inf", "1e+300", "3.0000000000000001"][i % 6] ?? "0"]),
  ),
  "hash 4": hash(PAIRED),
  "zset 5": zset2([
    [wire("one"), 1, "1"],
    [wire("minus zero"), -0, "-0"],
    [wireLzf(long), 0.1, "0.1"],
    [wire("most"), Number.MAX_VALUE, "1.7976931348623157e+308"],
    [wire("least"), 5e-324, "5e-324"],
    [wireInteger(7, 1), Number.POSITIVE_INFINITY, "inf"],
    [wire("low"), Number.NEGATIVE_INFINITY, "-inf"],
  ]),
  "module 7, ReJSON": reJson(wire(`{"a":"${long}"}`)),
  "module 7, unknown": moduleValue("bloom-ish", [
    moduleItem(1, lenAs(64, 2n ** 64n - 1n)),
    moduleItem(2, lenAs(6, 5)),
    moduleItem(3, Buffer.alloc(4, 9)),
    moduleItem(4, Buffer.alloc(8, 9)),
    moduleItem(5, wire("text").wire),
  ]),
  "zipmap 9": hashZipmap([
    [b("f"), b("v")],
    [b(""), b("")],
    [b("l".repeat(254)), b(long)],
  ]),
  "zipmap 9, LZF": hashZipmap([[b("f"), b(long)]], wireLzf),
  "list ziplist 10": listZiplist([...TEXTS, ...NUMBERS]),
  "intset 11, 16 bits": setIntset([-32_768n, -1n, 0n, 32_767n], 2),
  "intset 11, 32 bits": setIntset([-70_000n, 5n, 2_147_483_647n], 4),
  "intset 11, 64 bits, LZF": setIntset([-(2n ** 63n), -1n, 0n, 1n, 2n ** 53n, 2n ** 63n - 1n], 8, wireLzf),
  "zset ziplist 12": zsetZiplist(PACKED),
  "hash ziplist 13": hashZiplist(PACKED),
  "quicklist 14": quicklist([TEXTS, NUMBERS, [b("last")]]),
  "hash listpack 16": hashListpack(PACKED),
  "hash listpack 16, LZF": hashListpack([b("f"), b(long)], wireLzf),
  "zset listpack 17": zsetListpack([...PACKED, b("half"), b("0.5"), b("infinite"), b("inf")]),
  "quicklist 18": quicklist2([TEXTS, wire(long), NUMBERS, wireLzf(long), wireInteger(300, 2)]),
  "quicklist 18, LZF": quicklist2([[b(long), 1n]], wireLzf),
  "json 30": json(wire('{"a":1}')),
  "json 30, LZF": json(wireLzf(`"${long}"`)),
  "json 30, an integer": json(wireInteger(1, 1)),
  "hash with deadlines 31": hashTtl([
    [wire("f"), wire("v"), wireInteger(-1, 1)],
    [wireInteger(5, 1), wireLzf(long), wireInteger(100_000_000, 4)],
    [wire(""), wire(""), wire("0")],
  ]),
  "set with deadlines 32": setTtl([
    [wire("m"), wireInteger(-1, 1)],
    [wireLzf(long), wireInteger(3600, 2)],
    [wire(binary), wire("100000000")],
  ]),
  "bloom 33": bloom(FILTERS),
  "bloom 33, LZF": bloom(FILTERS, wireLzf),
  "bloom 34": bloom2([...FILTERS, { hashes: 1, bytes: Buffer.alloc(0) }], 64),
  "count-min 35": countMin(4, 3, [0n, 1n, -1n, 201n, 202n, 2n ** 62n, 224n, 6n, 7n, 8n, 9n, 10n]),
  "top-k 36": topK(
    [
      [wire("a"), 5],
      [wireInteger(7, 1), 70_000],
    ],
    binary.subarray(0, 96),
  ),
  "cuckoo 37": cuckoo([binary, Buffer.alloc(10, 201)], 100),
};

export const SAMPLES: readonly Sample[] = [
  ...Object.entries(NAMED).map(([name, value]): Sample => ({ name, value, version: 9 })),
  { name: "json 20 of old masters", value: oldJson(wire("[1,2]")), version: 9 },
  { name: "set listpack 20", value: setListpack([...TEXTS, ...NUMBERS]), version: 10 },
  ...streamSamples(15),
  ...streamSamples(19),
  ...streamSamples(21),
];

/** Every object type but the string. */
export const SAMPLED_TYPES: ReadonlySet<number> = new Set(SAMPLES.map((sample) => sample.value.type));

/** Strings of every encoding. */
export const STRING_SAMPLES = STRINGS;
