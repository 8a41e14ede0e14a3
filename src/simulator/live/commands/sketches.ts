/**
 * Bloom filters, count-min sketches, top-k sketches and cuckoo filters. Journaled as the client sent them (recording `types`): a replica's filters are
 * those of the same commands. Releases like 1.27 know the Bloom filters alone. Limits and errors: Dragonfly src/server/{bloom,cms,topk,cuckoo_filter}_family.cc.
 */
import { arg, float, integer, OptionReader, parseDouble, parseInt64 } from "../arguments.ts";
import type { Call, EntryOf, ValueOf, ValueType } from "../call.ts";
import { CommandFamily, type CommandRun } from "../command.ts";
import { CommandError, NO_SUCH_KEY, NOT_AN_INTEGER, syntaxError, unknownCommand } from "../command-error.ts";
import type { Shard } from "../shard.ts";
import { addToBloom, createBloom, DEFAULT_BLOOM, isInBloom } from "../sketches/bloom-filter.ts";
import { addToCountMin, countOf, createCountMin } from "../sketches/count-min-sketch.ts";
import { addToCuckoo, createCuckoo, DEFAULT_CUCKOO, isInCuckoo, removeFromCuckoo } from "../sketches/cuckoo-filter.ts";
import { addToTopK, createTopK, DEFAULT_TOP_K, topItems } from "../sketches/top-k.ts";
import { isOldVersion } from "../versions.ts";

const BLOOM_COMMANDS = new CommandFamily("bloom")
  .write("BF.RESERVE", -4, bloomReserve)
  .write("BF.ADD", 3, (call, args) => call.reply.integer(bloomAdd(call, args)[0] ?? 0))
  .write("BF.MADD", -3, bloomAddMany)
  .read("BF.EXISTS", 3, (call, args) => call.reply.integer(bloomFind(call, args)[0] ?? 0))
  .read("BF.MEXISTS", -3, (call, args) => replyIntegers(call, bloomFind(call, args))).commands;

const COUNT_MIN_COMMANDS = new CommandFamily("cms")
  .write("CMS.INITBYDIM", 4, onlyNew(countMinInit))
  .write("CMS.INCRBY", -4, onlyNew(countMinAdd))
  .read("CMS.QUERY", -3, onlyNew(countMinQuery)).commands;

const TOP_K_COMMANDS = new CommandFamily("topk")
  .write("TOPK.RESERVE", -3, onlyNew(topKReserve))
  .write("TOPK.ADD", -3, onlyNew(topKAdd))
  .read("TOPK.LIST", -2, onlyNew(topKList)).commands;

const CUCKOO_COMMANDS = new CommandFamily("cuckoo")
  .write("CF.RESERVE", -3, onlyNew(cuckooReserve))
  .write("CF.ADD", 3, onlyNew(cuckooAdd))
  .write("CF.DEL", 3, onlyNew(cuckooDelete))
  .read("CF.EXISTS", 3, onlyNew(cuckooExists)).commands;

export const SKETCH_COMMANDS = [...BLOOM_COMMANDS, ...COUNT_MIN_COMMANDS, ...TOP_K_COMMANDS, ...CUCKOO_COMMANDS];

const ITEM_EXISTS = "ERR item exists";
const NO_COUNT_MIN = "ERR CMS: key does not exist";
const MAX_UINT32 = 0xffff_ffff;
const MAX_WIDTH = 1_000_000;
const MAX_DEPTH = 100;
const MAX_K = 100_000;
const MAX_CUCKOO_CAPACITY = 1 << 30;
const MAX_CUCKOO_FILTERS = 32;

/** A command that releases like 1.27 do not know. */
function onlyNew(run: CommandRun): CommandRun {
  return (call, args) => {
    if (isOldVersion(call.master.dragonflyVersion))
      throw new CommandError(unknownCommand(arg(args, 0).toString("latin1")));
    run(call, args);
  };
}

function uint32(bytes: Buffer | undefined): number {
  const value = integer(bytes);
  if (value < 0 || value > MAX_UINT32) throw new CommandError(NOT_AN_INTEGER);
  return value;
}

function replyIntegers(call: Call, integers: readonly (number | bigint)[]): void {
  call.reply.arrayHead(integers.length);
  for (const value of integers) call.reply.integer(value);
}

/** Makes a key that must not be there yet, and journals that. */
function reserve<T extends ValueType>(
  call: Call,
  args: readonly Buffer[],
  { type, make }: { readonly type: T; readonly make: () => ValueOf<T> },
): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  if (call.findOf(shard, key, type) !== undefined) throw new CommandError(ITEM_EXISTS);
  call.create(shard, key, make());
  call.record(shard, args);
  call.reply.ok();
}

/** The key that must be there, announced as about to change. */
function changed<T extends ValueType>(
  call: Call,
  args: readonly Buffer[],
  { type, missing }: { readonly type: T; readonly missing: string },
): { readonly shard: Shard; readonly value: ValueOf<T> } {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, type);
  if (entry === undefined) throw new CommandError(missing);
  call.change(shard, entry);
  return { shard, value: entry.value };
}

function looked<T extends ValueType>(
  call: Call,
  args: readonly Buffer[],
  { type, missing }: { readonly type: T; readonly missing: string },
): EntryOf<T> {
  const key = arg(args, 1);
  const entry = call.lookOf(call.shard(key), key, type);
  if (entry === undefined) throw new CommandError(missing);
  return entry;
}

/** `BF.RESERVE key errorRate capacity`; more words are not looked at. */
function bloomReserve(call: Call, args: readonly Buffer[]): void {
  const errorRate = parseDouble(arg(args, 2).toString("latin1"));
  const capacity = parseInt64(arg(args, 3));
  if (errorRate === undefined || capacity === undefined || capacity < 0n || capacity > MAX_UINT32) throw syntaxError();
  if (errorRate <= 0 || errorRate >= 0.5) throw new CommandError("ERR error rate is out of range");
  const parameters = { ...DEFAULT_BLOOM, errorRate, capacity: Number(capacity) };
  reserve(call, args, { type: "bloom", make: () => createBloom(parameters) });
}

/** 1 for each item that is new. */
function bloomAdd(call: Call, args: readonly Buffer[]): number[] {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "bloom");
  const { value } = call.changeOrCreate(shard, key, { entry, empty: () => createBloom(DEFAULT_BLOOM) });
  const added = args.slice(2).map((item) => (addToBloom(value, item) ? 1 : 0));
  call.record(shard, args);
  return added;
}

function bloomAddMany(call: Call, args: readonly Buffer[]): void {
  replyIntegers(call, bloomAdd(call, args));
}

/** 1 for each item that is there. No error for keys of other types. */
function bloomFind(call: Call, args: readonly Buffer[]): number[] {
  const key = arg(args, 1);
  const value = call.look(call.shard(key), key)?.value;
  return args.slice(2).map((item) => (value?.type === "bloom" && isInBloom(value, item) ? 1 : 0));
}

function countMinInit(call: Call, args: readonly Buffer[]): void {
  const [width, depth] = [uint32(args[2]), uint32(args[3])];
  if (width === 0 || depth === 0) throw new CommandError("ERR CMS: width and depth must be greater than 0");
  if (width > MAX_WIDTH || depth > MAX_DEPTH)
    throw new CommandError(`ERR CMS: width must not exceed ${MAX_WIDTH} and depth must not exceed ${MAX_DEPTH}`);
  reserve(call, args, { type: "cms", make: () => createCountMin(width, depth) });
}

function countMinAdd(call: Call, args: readonly Buffer[]): void {
  if (args.length % 2 !== 0) throw syntaxError();
  const increments = args.slice(2).flatMap((item, i, words) => {
    if (i % 2 !== 0) return [];
    const increment = parseInt64(arg(words, i + 1));
    if (increment === undefined) throw new CommandError("ERR CMS: Cannot parse number");
    if (increment <= 0n) throw new CommandError("ERR CMS: increment must be a positive integer");
    return [{ item, increment }];
  });
  const { shard, value } = changed(call, args, { type: "cms", missing: NO_COUNT_MIN });
  const counts = increments.map(({ item, increment }) => addToCountMin(value, item, increment));
  call.record(shard, args);
  replyIntegers(call, counts);
}

function countMinQuery(call: Call, args: readonly Buffer[]): void {
  const { value } = looked(call, args, { type: "cms", missing: NO_COUNT_MIN });
  const counts = args.slice(2).map((item) => countOf(value, item));
  replyIntegers(call, counts);
}

/** `TOPK.RESERVE key k [width depth decay]` */
function topKReserve(call: Call, args: readonly Buffer[]): void {
  const k = uint32(args[2]);
  if (k === 0) throw new CommandError("ERR k must be greater than 0");
  if (k > MAX_K) throw new CommandError(`ERR k exceeds maximum allowed value of ${MAX_K}`);
  if (args.length !== 3 && args.length !== 6) throw syntaxError();
  const parameters = { k, ...(args.length === 3 ? DEFAULT_TOP_K : topKDimensions(args)) };
  reserve(call, args, { type: "topk", make: () => createTopK(parameters) });
}

function topKDimensions(args: readonly Buffer[]): { readonly width: number; readonly depth: number; decay: number } {
  const [width, depth, decay] = [uint32(args[3]), uint32(args[4]), float(args[5])];
  if (decay < 0 || decay > 1) throw new CommandError("ERR decay must be between 0 and 1");
  if (width === 0 || depth === 0) throw new CommandError("ERR width and depth must be greater than 0");
  if (width > MAX_WIDTH || depth > MAX_DEPTH)
    throw new CommandError(`ERR width must not exceed ${MAX_WIDTH} and depth must not exceed ${MAX_DEPTH}`);
  return { width, depth, decay };
}

/** Replies what each item drove out. */
function topKAdd(call: Call, args: readonly Buffer[]): void {
  const { shard, value } = changed(call, args, { type: "topk", missing: NO_SUCH_KEY });
  const gone = args.slice(2).map((item) => addToTopK(value, item));
  call.record(shard, args);
  call.reply.bulks(gone);
}

function topKList(call: Call, args: readonly Buffer[]): void {
  const reader = new OptionReader(args, 2);
  const withCount = reader.takes("WITHCOUNT");
  reader.end();
  const items = topItems(looked(call, args, { type: "topk", missing: NO_SUCH_KEY }).value);
  call.reply.arrayHead(items.length * (withCount ? 2 : 1));
  for (const { item, count } of items) {
    call.reply.bulk(item);
    if (withCount) call.reply.integer(count);
  }
}

/** `CF.RESERVE key capacity [BUCKETSIZE n] [MAXITERATIONS n] [EXPANSION n]` */
function cuckooReserve(call: Call, args: readonly Buffer[]): void {
  const parameters = { ...DEFAULT_CUCKOO, capacity: integer(args[2]) };
  const reader = new OptionReader(args, 3);
  for (let option = reader.nextWord(); option !== undefined; option = reader.nextWord()) {
    if (option === "BUCKETSIZE")
      parameters.slotsPerBucket = within(reader, [1, 255], "CF: bucket size must be between 1 and 255");
    else if (option === "MAXITERATIONS")
      parameters.maxIterations = within(reader, [1, 65_535], "CF: max iterations must be between 1 and 65535");
    else if (option === "EXPANSION")
      parameters.expansion = within(reader, [0, 32_768], "CF: expansion must be between 0 and 32768");
    else throw syntaxError();
  }
  const { capacity, slotsPerBucket } = parameters;
  if (capacity < 2 * slotsPerBucket || capacity > MAX_CUCKOO_CAPACITY)
    throw new CommandError(`ERR CF: capacity must be in the range [2 * bucket size, ${MAX_CUCKOO_CAPACITY}]`);
  reserve(call, args, { type: "cuckoo", make: () => createCuckoo(parameters) });
}

function within(reader: OptionReader, [least, most]: readonly [number, number], error: string): number {
  const value = reader.nextInteger();
  if (value < least || value > most) throw new CommandError(`ERR ${error}`);
  return value;
}

function cuckooAdd(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "cuckoo");
  if (entry !== undefined && entry.value.filters.length >= MAX_CUCKOO_FILTERS)
    throw new CommandError("ERR Maximum expansions reached");
  const { value } = call.changeOrCreate(shard, key, { entry, empty: () => createCuckoo(DEFAULT_CUCKOO) });
  // Full: nothing has changed.
  if (!addToCuckoo(value, arg(args, 2))) throw new CommandError("ERR Filter is full");
  call.record(shard, args);
  call.reply.integer(1);
}

/** Journaled also when the item was not there. */
function cuckooDelete(call: Call, args: readonly Buffer[]): void {
  const { shard, value } = changed(call, args, { type: "cuckoo", missing: NO_SUCH_KEY });
  const removed = removeFromCuckoo(value, arg(args, 2));
  call.record(shard, args);
  call.reply.integer(removed ? 1 : 0);
}

/** No error for keys of other types. */
function cuckooExists(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const value = call.look(call.shard(key), key)?.value;
  call.reply.integer(value?.type === "cuckoo" && isInCuckoo(value, arg(args, 2)) ? 1 : 0);
}
