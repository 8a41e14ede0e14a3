/** ZADD with its flags. */
import { arg, doubleText, float, OptionReader, text, word } from "../arguments.ts";
import type { Call } from "../call.ts";
import { CommandError, syntaxError } from "../command-error.ts";
import type { ZsetValue } from "../values.ts";
import { orderChanged } from "../zset-order.ts";

const FLAGS = ["NX", "XX", "GT", "LT", "CH", "INCR"] as const;

type Flag = (typeof FLAGS)[number];

type Scored = { readonly member: Buffer; readonly score: number };

export function zadd(call: Call, args: readonly Buffer[]): void {
  const { flags, items } = read(args);
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "zset");
  if (entry === undefined && flags.has("XX")) {
    replyNothing(call, flags);
    return;
  }
  const planned = plan(entry?.value, flags, items);
  if (flags.has("INCR") && planned.changes.length === 0) {
    call.reply.bulk(undefined);
    return;
  }
  const { value } = call.changeOrCreate(shard, key, {
    entry,
    empty: () => ({ type: "zset" as const, members: new Map() }),
  });
  for (const { member, score } of planned.changes) {
    const old = value.members.get(text(member));
    if (old === undefined) value.members.set(text(member), { member: Buffer.from(member), score });
    else old.score = score;
  }
  if (planned.changes.length > 0) orderChanged(value);
  call.record(shard, args);
  if (flags.has("INCR")) call.reply.bulk(doubleText(planned.changes[0]?.score ?? 0));
  else call.reply.integer(flags.has("CH") ? planned.added + planned.updated : planned.added);
}

function replyNothing(call: Call, flags: ReadonlySet<Flag>): void {
  if (flags.has("INCR")) call.reply.bulk(undefined);
  else call.reply.integer(0);
}

function read(args: readonly Buffer[]): { flags: ReadonlySet<Flag>; items: readonly Scored[] } {
  const flags = new Set<Flag>();
  let at = 2;
  for (let flag = asFlag(args[at]); flag !== undefined; flag = asFlag(args[at])) {
    flags.add(flag);
    at += 1;
  }
  const reader = new OptionReader(args, at);
  if (reader.left === 0 || reader.left % 2 !== 0) throw syntaxError();
  if (flags.has("NX") && flags.has("XX"))
    throw new CommandError("ERR XX and NX options at the same time are not compatible");
  if ([flags.has("NX"), flags.has("GT"), flags.has("LT")].filter(Boolean).length > 1) {
    throw new CommandError("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  if (flags.has("INCR") && reader.left > 2)
    throw new CommandError("ERR INCR option supports a single increment-element pair");
  const items: Scored[] = [];
  while (reader.left > 0) items.push({ score: float(reader.next()), member: reader.next() });
  return { flags, items };
}

function asFlag(bytes: Buffer | undefined): Flag | undefined {
  const flag = word(bytes);
  return FLAGS.find((known) => known === flag);
}

type Plan = { readonly changes: Scored[]; added: number; updated: number };

/** What is to be done, and counted; nothing is changed yet. */
function plan(zset: ZsetValue | undefined, flags: ReadonlySet<Flag>, items: readonly Scored[]): Plan {
  const result: Plan = { changes: [], added: 0, updated: 0 };
  const scores = new Map<string, number>();
  for (const { member, score: given } of items) {
    const name = text(member);
    const old = scores.get(name) ?? zset?.members.get(name)?.score;
    const score = flags.has("INCR") ? (old ?? 0) + given : given;
    if (Number.isNaN(score)) throw new CommandError("ERR resulting score is not a number (NaN)");
    if (!applies(flags, old, score)) continue;
    if (old === undefined) result.added += 1;
    else if (old !== score) result.updated += 1;
    scores.set(name, score);
    result.changes.push({ member, score });
  }
  return result;
}

function applies(flags: ReadonlySet<Flag>, old: number | undefined, score: number): boolean {
  if (old === undefined) return !flags.has("XX");
  if (flags.has("NX")) return false;
  if (flags.has("GT") && score <= old) return false;
  return !(flags.has("LT") && score >= old);
}
