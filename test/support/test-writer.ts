/**
 * Random writes to a shard, as the simulator's commands make them: they announce the change, make it and journal it in one turn. With a seed, so that a
 * failure can be run again.
 */
import type { Shard } from "../../src/simulator/live/shard.ts";
import type { HashField, KeyEntry } from "../../src/simulator/live/values.ts";
import { entryOf } from "./replica-model.ts";

export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  }

  /** 0 … n - 1 (xorshift32). */
  below(n: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % n;
  }
}

export class TestWriter {
  readonly #shard: Shard;
  readonly #random: SeededRandom;
  readonly #keys: number;
  #count = 0;

  /** @param keys how many different ones of a kind */
  constructor(shard: Shard, random: SeededRandom, keys: number) {
    this.#shard = shard;
    this.#random = random;
    this.#keys = keys;
  }

  write(): void {
    const random = this.#random;
    const db = random.below(3) === 0 ? 1 : 0;
    const n = random.below(this.#keys);
    const text = `value ${this.#count++} ${"x".repeat(random.below(60))}`;
    const kind = random.below(10);
    if (kind === 0) this.#del(db, `${["s", "l", "h"][random.below(3)] ?? "s"}:${n}`);
    else if (kind < 4) this.set(db, `s:${n}`, text);
    else if (kind < 7) this.push(db, `l:${n}`, text);
    else this.hset(db, `h:${n}`, { field: `f${random.below(2000)}`, content: text });
  }

  set(db: number, key: string, text: string): void {
    const entry = entryOf(Buffer.from(key), { type: "string", bytes: Buffer.from(text) });
    this.#shard.put(db, entry);
    this.#record(db, ["SET", key, text]);
  }

  push(db: number, key: string, text: string): void {
    const { value } = this.#existing(db, key, () => ({ type: "list", items: [] }));
    if (value.type === "list") value.items.push(Buffer.from(text));
    this.#record(db, ["RPUSH", key, text]);
  }

  hset(db: number, key: string, { field, content }: { readonly field: string; readonly content: string }): void {
    const { value } = this.#existing(db, key, () => ({ type: "hash", fields: new Map<string, HashField>() }));
    if (value.type === "hash")
      value.fields.set(field, { field: Buffer.from(field), content: Buffer.from(content), expireAtMs: -1 });
    this.#record(db, ["HSET", key, field, content]);
  }

  flushAll(): void {
    this.#shard.flush(-1);
    this.#record(0, ["FLUSHALL"]);
  }

  #del(db: number, key: string): void {
    if (this.#shard.remove(db, Buffer.from(key))) this.#record(db, ["DEL", key]);
  }

  /** The entry, announced as about to change; a new one is put first. */
  #existing(db: number, key: string, create: () => KeyEntry["value"]): KeyEntry {
    const bytes = Buffer.from(key);
    const known = this.#shard.get(db, bytes);
    if (known !== undefined) {
      this.#shard.change(db, known);
      return known;
    }
    const entry = entryOf(bytes, create());
    this.#shard.put(db, entry);
    return entry;
  }

  #record(db: number, args: readonly string[]): void {
    this.#shard.record({ db, txid: 0, args: args.map((arg) => Buffer.from(arg)) });
  }
}
