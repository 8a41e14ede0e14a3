/** The rows of types and encodings: one value of each, as a Dragonfly or a Redis-made snapshot holds it. */
import { type WireString, wire, wireInteger } from "../support/rdb-builder.ts";
import { SAMPLES, STRING_SAMPLES } from "../support/rdb-samples.ts";
import { type BuiltValue, hashTtl, setTtl } from "../support/rdb-values.ts";

export type TypeRow = {
  readonly name: string;
  /** Of the stream it stands in. */
  readonly version: number;
} & ({ readonly string: WireString } | { readonly value: BuiltValue });

/** Seconds since 2023-02-01: the year 2029. */
const FAR = wire("200000000");
const NONE = wireInteger(-1, 1);

const STRING_NAMES = [
  "string, empty",
  "string, one byte",
  "string, 6-bit length",
  "string, 14-bit length",
  "string, 32-bit length",
  "string, 64-bit length",
  "string, every byte",
  "string, 8-bit integer",
  "string, 8-bit integer (127)",
  "string, 16-bit integer",
  "string, 16-bit integer (32767)",
  "string, 32-bit integer",
  "string, 32-bit integer (2147483647)",
  "string, LZF",
];

const DEADLINES: readonly TypeRow[] = [
  {
    name: "hash with deadlines 31",
    version: 9,
    value: hashTtl([
      [wire("f"), wire("v"), NONE],
      [wire("g"), wire("w"), FAR],
    ]),
  },
  {
    name: "set with deadlines 32",
    version: 9,
    value: setTtl([
      [wire("m"), NONE],
      [wire("n"), FAR],
    ]),
  },
];

const TYPE_ORDER = [
  "string",
  "list",
  "quicklist",
  "set",
  "intset",
  "hash",
  "zipmap",
  "zset",
  "stream",
  "json",
  "module",
];

export const TYPE_ROWS: readonly TypeRow[] = [
  ...STRING_SAMPLES.map((string, i): TypeRow => ({ name: STRING_NAMES[i] ?? `string ${i}`, version: 9, string })),
  ...SAMPLES.filter(({ name }) => !name.includes("with deadlines") && !name.startsWith("module 7, unknown")),
  ...DEADLINES,
].toSorted((a, b) => order(a) - order(b));

function order({ name }: TypeRow): number {
  const first = name.split(/[ ,]/, 1)[0] ?? "";
  const at = TYPE_ORDER.indexOf(first);
  return at < 0 ? TYPE_ORDER.length : at;
}
