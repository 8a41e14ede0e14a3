/**
 * `DEBUG POPULATE count [prefix] [size] [RAND] [TYPE type] [ELEMENTS n]`: keys `prefix:0`, `prefix:1`, … with values of `size` bytes. Journaled as plain writes. All
 * values share their bytes, but those of RAND, so that millions of keys fit.
 */
import { randomBytes } from "node:crypto";
import { integer, OptionReader, text } from "../arguments.ts";
import type { Call } from "../call.ts";
import { CommandError, syntaxError } from "../command-error.ts";
import type { Value } from "../values.ts";
import { RPUSH, SADD, SET, ZADD } from "../words.ts";

const HSET = Buffer.from("HSET");
const JSON_SET = Buffer.from("JSON.SET");
const ROOT = Buffer.from("$");

type PopulateOptions = {
  readonly count: number;
  readonly prefix: string;
  readonly size: number;
  random: boolean;
  type: string;
  elements: number;
};

export function populate(call: Call, args: readonly Buffer[]): void {
  const options = readOptions(args);
  const bytes = Buffer.alloc(options.size, "x");
  const make = (): Buffer => (options.random ? randomText(options.size) : bytes);
  for (let i = 0; i < options.count; i++) {
    const key = Buffer.from(`${options.prefix}:${i}`, "latin1");
    const { value, record } = build(key, options, make);
    const shard = call.shard(key);
    call.keyspace.put(shard, call.db, { key, value, expireAtMs: -1, sticky: false });
    call.record(shard, record);
  }
}

function readOptions(args: readonly Buffer[]): PopulateOptions {
  const count = integer(args[2]);
  const prefix = args[3] === undefined ? "key" : text(args[3]);
  const size = args[4] === undefined ? 16 : integer(args[4]);
  const options: PopulateOptions = { count, prefix, size, random: false, type: "STRING", elements: 1 };
  const reader = new OptionReader(args, 5);
  for (let option = reader.nextWord(); option !== undefined; option = reader.nextWord()) {
    if (option === "RAND") options.random = true;
    else if (option === "TYPE") options.type = reader.nextWord() ?? "";
    else if (option === "ELEMENTS") options.elements = reader.nextInteger();
    else throw syntaxError();
  }
  if (count < 0 || size < 0 || options.elements < 1) throw syntaxError();
  return options;
}

/** Half the bytes as hexadecimal digits: compresses about as real text does. */
function randomText(size: number): Buffer {
  return Buffer.from(
    randomBytes(Math.ceil(size / 2))
      .toString("hex")
      .slice(0, size),
    "latin1",
  );
}

type Built = { readonly value: Value; readonly record: readonly Buffer[] };

function build(key: Buffer, options: PopulateOptions, make: () => Buffer): Built {
  if (options.type === "STRING") {
    const bytes = make();
    return { value: { type: "string", bytes }, record: [SET, key, bytes] };
  }
  const items = Array.from({ length: options.elements }, (_, i) => Buffer.concat([make(), Buffer.from(String(i))]));
  return buildCollection(key, options.type, items);
}

function buildCollection(key: Buffer, type: string, items: readonly Buffer[]): Built {
  const names = items.map((item) => item.toString("latin1"));
  switch (type) {
    case "LIST":
      return { value: { type: "list", items: [...items] }, record: [RPUSH, key, ...items] };
    case "SET": {
      const members = new Map(items.map((member, i) => [names[i] ?? "", { member, expireAtMs: -1 }]));
      return { value: { type: "set", members }, record: [SADD, key, ...items] };
    }
    case "HASH": {
      const fields = new Map(items.map((field, i) => [names[i] ?? "", { field, content: field, expireAtMs: -1 }]));
      return { value: { type: "hash", fields }, record: [HSET, key, ...items.flatMap((item) => [item, item])] };
    }
    case "ZSET": {
      const members = new Map(items.map((member, i) => [names[i] ?? "", { member, score: i }]));
      return {
        value: { type: "zset", members },
        record: [ZADD, key, ...items.flatMap((item, i) => [Buffer.from(String(i)), item])],
      };
    }
    case "JSON":
      return {
        value: { type: "json", document: { items: names } },
        record: [JSON_SET, key, ROOT, Buffer.from(JSON.stringify({ items: names }))],
      };
    default:
      throw new CommandError("ERR syntax error");
  }
}
