/**
 * ZUNIONSTORE, ZINTERSTORE, ZDIFFSTORE, ZRANGESTORE: journaled as DEL and ZADD of the result. 1.40 writes the scores there with six significant digits
 * (docs/journal-commands.md), and so does this.
 */
import { arg, bytesOf, doubleText, float, integer, OptionReader, text } from "../arguments.ts";
import type { Call } from "../call.ts";
import { CommandFamily } from "../command.ts";
import { CommandError, syntaxError } from "../command-error.ts";
import type { SetValue, ZsetMember, ZsetValue } from "../values.ts";
import { DEL, ZADD } from "../words.ts";
import { rangeOf, readRangeOptions } from "../zset-range.ts";

export const ZSET_STORE_COMMANDS = new CommandFamily("sortedset")
  .write("ZUNIONSTORE", -4, (call, args) => combine(call, args, "union"))
  .write("ZINTERSTORE", -4, (call, args) => combine(call, args, "intersection"))
  .write("ZDIFFSTORE", -4, (call, args) => combine(call, args, "difference"))
  .write("ZRANGESTORE", -5, rangeStore, [1, 2, 1]).commands;

type Kind = "union" | "intersection" | "difference";
type Scores = ReadonlyMap<string, ZsetMember>;
type Aggregate = (a: number, b: number) => number;

const AGGREGATES: Readonly<Record<string, Aggregate>> = { SUM: (a, b) => a + b, MIN: Math.min, MAX: Math.max };

const sum: Aggregate = (a, b) => a + b;

function rangeStore(call: Call, args: readonly Buffer[]): void {
  const options = readRangeOptions(new OptionReader(args, 5));
  const from = arg(args, 2);
  const source = call.findOf(call.shard(from), from, "zset")?.value;
  store(call, arg(args, 1), rangeOf(source, [arg(args, 3), arg(args, 4)], options));
}

function combine(call: Call, args: readonly Buffer[], kind: Kind): void {
  const keyCount = integer(args[2]);
  if (keyCount < 1)
    throw new CommandError(`ERR at least 1 input key is needed for '${text(args[0]).toLowerCase()}' command`);
  const keys = args.slice(3, 3 + keyCount);
  if (keys.length < keyCount) throw syntaxError();
  const { weights, aggregate } = readOptions(new OptionReader(args, 3 + keyCount), { keyCount, kind });
  const operands = keys.map((key, i) => weighted(operand(call, key), weights[i] ?? 1));
  const [first, ...others] = operands;
  if (first === undefined) throw syntaxError();
  store(call, arg(args, 1), [...combined(kind, first, { others, aggregate }).values()]);
}

function readOptions(
  reader: OptionReader,
  { keyCount, kind }: { readonly keyCount: number; readonly kind: Kind },
): { weights: readonly number[]; aggregate: Aggregate } {
  let weights: readonly number[] = [];
  let aggregate = sum;
  for (let option = reader.nextWord(); option !== undefined; option = reader.nextWord()) {
    if (kind === "difference") throw syntaxError();
    if (option === "WEIGHTS")
      weights = Array.from({ length: keyCount }, () => float(reader.next(), "ERR weight value is not a float"));
    else if (option === "AGGREGATE") {
      const named = AGGREGATES[reader.nextWord() ?? ""];
      if (named === undefined) throw syntaxError();
      aggregate = named;
    } else throw syntaxError();
  }
  return { weights, aggregate };
}

/** A zset or a set, whose members count 1. */
function operand(call: Call, key: Buffer): Scores {
  const shard = call.shard(key);
  const entry = call.find(shard, key);
  if (entry?.value.type === "set") return scoresOfSet(entry.value);
  return call.findOf(shard, key, "zset")?.value.members ?? new Map();
}

function scoresOfSet(set: SetValue): Scores {
  return new Map([...set.members].map(([name, { member }]) => [name, { member, score: 1 }]));
}

function weighted(scores: Scores, weight: number): Map<string, ZsetMember> {
  return new Map(
    [...scores].map(([name, { member, score }]) => [
      name,
      { member, score: weight === 1 ? score : score * weight || 0 },
    ]),
  );
}

function combined(
  kind: Kind,
  first: ReadonlyMap<string, ZsetMember>,
  { others, aggregate }: { readonly others: readonly Scores[]; readonly aggregate: Aggregate },
): ReadonlyMap<string, ZsetMember> {
  const result = new Map(first);
  for (const other of others) {
    if (kind === "union") for (const [name, item] of other) result.set(name, merged(result.get(name), item, aggregate));
    else if (kind === "difference") for (const name of other.keys()) result.delete(name);
    else {
      for (const [name, item] of result) {
        const match = other.get(name);
        if (match === undefined) result.delete(name);
        else result.set(name, merged(item, match, aggregate));
      }
    }
  }
  return result;
}

function merged(a: ZsetMember | undefined, b: ZsetMember, aggregate: Aggregate): ZsetMember {
  return a === undefined ? { ...b } : { member: a.member, score: aggregate(a.score, b.score) || 0 };
}

function store(call: Call, key: Buffer, result: readonly ZsetMember[]): void {
  const shard = call.shard(key);
  const old = call.find(shard, key);
  if (result.length > 0) {
    const members = new Map(result.map(({ member, score }) => [text(member), { member, score }]));
    const zset: ZsetValue = { type: "zset", members };
    call.create(shard, key, zset);
  } else if (old !== undefined) call.remove(shard, old);
  if (result.length > 0 || old !== undefined) call.recordPart(shard, [DEL, key]);
  if (result.length > 0)
    call.recordPart(shard, [
      ZADD,
      key,
      ...result.flatMap(({ member, score }) => [bytesOf(journalScore(score)), member]),
    ]);
  call.reply.integer(result.length);
}

/** As C's `%g` prints it. */
function journalScore(score: number): string {
  if (!Number.isFinite(score)) return doubleText(score);
  const [mantissa = "", exponent] = score.toPrecision(6).split("e");
  const digits = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  const power = Number(exponent ?? (score === 0 ? 0 : Math.floor(Math.log10(Math.abs(score)))));
  if (exponent === undefined && power >= -4) return digits;
  const shown = exponent === undefined ? Number(score.toPrecision(6)).toExponential().split("e")[0] : digits;
  return `${shown}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
