/** Ranges of a zset as ZRANGE and its relatives give them: by rank, by score or by bytes, from either end, with LIMIT. Pure. */
import { integer, type OptionReader, parseDouble, text } from "./arguments.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { rankRange } from "./rank-range.ts";
import type { ZsetMember, ZsetValue } from "./values.ts";
import { inOrder } from "./zset-order.ts";

export type RangeOptions = {
  by: "rank" | "score" | "lex";
  reverse: boolean;
  offset: number;
  /** -1 for all. */
  count: number;
  withScores: boolean;
};

export function readRangeOptions(reader: OptionReader, defaults: Partial<RangeOptions> = {}): RangeOptions {
  const options: RangeOptions = { by: "rank", reverse: false, offset: 0, count: -1, withScores: false, ...defaults };
  for (let option = reader.nextWord(); option !== undefined; option = reader.nextWord()) {
    if (option === "BYSCORE") options.by = "score";
    else if (option === "BYLEX") options.by = "lex";
    else if (option === "REV") options.reverse = true;
    else if (option === "WITHSCORES") options.withScores = true;
    else if (option === "LIMIT") {
      options.offset = reader.nextInteger();
      options.count = reader.nextInteger();
    } else throw syntaxError();
  }
  return options;
}

/** @param bounds as the client gave them; with REV by score or bytes the higher one comes first */
export function rangeOf(
  zset: ZsetValue | undefined,
  bounds: readonly [Buffer, Buffer],
  options: RangeOptions,
): readonly ZsetMember[] {
  const [first, last] = options.reverse && options.by !== "rank" ? [bounds[1], bounds[0]] : bounds;
  const accept = options.by === "rank" ? undefined : acceptor(options.by, first, last);
  const ranks = accept === undefined ? ([integer(first), integer(last)] as const) : ([0, -1] as const);
  if (zset === undefined) return [];
  const members = accept === undefined ? inOrder(zset) : inOrder(zset).filter(accept);
  const ordered = options.reverse ? members.toReversed() : members;
  const [start, stop] = rankRange(ranks[0], ranks[1], ordered.length);
  return limit(ordered.slice(start, stop), options);
}

function limit(members: readonly ZsetMember[], { offset, count }: RangeOptions): readonly ZsetMember[] {
  if (offset < 0) return [];
  return count < 0 ? members.slice(offset) : members.slice(offset, offset + count);
}

function acceptor(by: "score" | "lex", min: Buffer, max: Buffer): (member: ZsetMember) => boolean {
  return by === "score" ? scoreAcceptor(min, max) : lexAcceptor(min, max);
}

export function scoreAcceptor(min: Buffer, max: Buffer): (member: ZsetMember) => boolean {
  const low = scoreBound(min);
  const high = scoreBound(max);
  return ({ score }) =>
    (low.open ? score > low.score : score >= low.score) && (high.open ? score < high.score : score <= high.score);
}

function scoreBound(bytes: Buffer): { readonly score: number; readonly open: boolean } {
  const bound = text(bytes);
  const open = bound.startsWith("(");
  const score = parseDouble(open ? bound.slice(1) : bound);
  if (score === undefined) throw new CommandError("ERR min or max is not a float");
  return { score, open };
}

export function lexAcceptor(min: Buffer, max: Buffer): (member: ZsetMember) => boolean {
  const low = lexBound(min);
  const high = lexBound(max);
  return ({ member }) => low(member) >= 0 && high(member) <= 0;
}

/** Where a member lies as seen from the bound: -1 before, 1 behind, 0 at it and inside. */
function lexBound(bytes: Buffer): (member: Buffer) => number {
  const kind = text(bytes.subarray(0, 1));
  const bound = bytes.subarray(1);
  if (kind === "-" && bound.length === 0) return () => 1;
  if (kind === "+" && bound.length === 0) return () => -1;
  if (kind === "[") return (member) => Buffer.compare(member, bound);
  if (kind !== "(") throw new CommandError("ERR min or max not valid string range item");
  return (member) => Buffer.compare(member, bound) || Number.NaN;
}
