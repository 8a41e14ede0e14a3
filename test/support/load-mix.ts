/**
 * The commands of the write load: every type, keys that many connections write to, several shards in one command, deadlines that come soon,
 * transactions, and now and then a large value. All from a seed, so that a run can be repeated. Names of keys begin with their type, so no
 * command meets a wrong one; streams belong to one connection, which alone knows the ids.
 *
 * Keys with a deadline that comes soon have names of their own (`volatile-…`), and no write prolongs their lives: a target that expires keys by its own
 * clock cannot know, at the deadline, that the source has just renewed it and that the renewal is on its way.
 */
import { SeededRandom } from "../../src/simulator/generated/seeded-random.ts";

/** Keys of each type, per database. */
export type LoadKeys = {
  readonly strings: number;
  readonly counters: number;
  readonly hashes: number;
  readonly lists: number;
  readonly sets: number;
  readonly zsets: number;
  /** Of each type that is made with a deadline that comes soon. */
  readonly volatile: number;
  /** Per connection. */
  readonly streams: number;
};

export const DEFAULT_LOAD_KEYS: LoadKeys = {
  strings: 5000,
  counters: 500,
  hashes: 600,
  lists: 200,
  sets: 300,
  zsets: 300,
  volatile: 400,
  streams: 4,
};

const MEMBERS = 120;
const STREAM_ENTRIES = 150;
const FILLER_BYTES = 512 * 1024;
/** Above Dragonfly's --serialization_max_chunk_size (64 KiB), so that such a value is sent in chunks. */
const LARGE_BYTES = 80 * 1024;

/** Requests as they go over the wire, one character a byte. */
export class CommandText {
  text = "";
  commands = 0;

  add(...args: readonly (string | number)[]): void {
    let text = `*${args.length}\r\n`;
    for (const arg of args) {
      const bytes = typeof arg === "string" ? arg : String(arg);
      text += `$${bytes.length}\r\n${bytes}\r\n`;
    }
    this.text += text;
    this.commands += 1;
  }

  take(): { readonly text: string; readonly commands: number } {
    const taken = { text: this.text, commands: this.commands };
    this.text = "";
    this.commands = 0;
    return taken;
  }
}

type Step = (mix: LoadMix) => void;

export type LoadMixOptions = {
  readonly seed: number;
  readonly connection: number;
  readonly keys?: Partial<LoadKeys> | undefined;
  /** How many in 10,000 steps write a large value. */
  readonly largePer10k?: number | undefined;
  readonly nowMs?: () => number;
};

export class LoadMix {
  readonly out = new CommandText();
  readonly #random: SeededRandom;
  readonly #keys: LoadKeys;
  readonly #connection: number;
  readonly #filler: string;
  readonly #largePer10k: number;
  readonly #nowMs: () => number;
  /** Last id of each stream of this connection. */
  readonly #lastIds: number[] = [];

  constructor(options: LoadMixOptions) {
    this.#random = new SeededRandom(options.seed * 7919 + options.connection + 1);
    this.#keys = { ...DEFAULT_LOAD_KEYS, ...options.keys };
    this.#connection = options.connection;
    this.#largePer10k = options.largePer10k ?? 5;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#filler = filler(this.#random);
  }

  /** Adds one step to `out`: a command, or a few that belong together. */
  step(): void {
    if (this.below(10_000) < this.#largePer10k) this.#pick(LARGE_STEPS)(this);
    else this.#pick(STEPS)(this);
  }

  below(n: number): number {
    return this.#random.below(n);
  }

  key(kind: Exclude<keyof LoadKeys, "streams" | "volatile">): string {
    return `${kind}:${this.below(this.#keys[kind])}`;
  }

  /** Two keys that are not the same. */
  twoKeys(kind: Exclude<keyof LoadKeys, "streams" | "volatile">): [string, string] {
    const count = this.#keys[kind];
    const first = this.below(count);
    return [`${kind}:${first}`, `${kind}:${(first + 1 + this.below(count - 1)) % count}`];
  }

  /** Mostly short, some of a few KiB; text as well as any bytes. */
  value(): string {
    const size = this.below(50) === 0 ? this.below(4096) : this.below(90);
    const start = this.below(FILLER_BYTES - size);
    return this.#filler.slice(start, start + size);
  }

  large(): string {
    const size = LARGE_BYTES + this.below(LARGE_BYTES);
    const start = this.below(FILLER_BYTES - size);
    return this.#filler.slice(start, start + size);
  }

  member(): string {
    return `m${this.below(MEMBERS)}`;
  }

  members(): string[] {
    return Array.from({ length: 1 + this.below(4) }, () => this.member());
  }

  values(): string[] {
    return Array.from({ length: 1 + this.below(3) }, () => this.value());
  }

  /** Integers, fractions that are exact as doubles and such that are not. */
  score(): string {
    const kind = this.below(10);
    if (kind === 0) return String(this.below(1_000_000) / 1000);
    if (kind === 1) return `${this.below(2) === 0 ? "-" : ""}${this.below(1 << 30)}e-3`;
    if (kind === 2) return String((this.below(1000) - 500) / 8);
    return String(this.below(2000) - 1000);
  }

  /** Longer than any test. */
  ttlMs(): number {
    return 3_600_000 + this.below(1_000_000);
  }

  soonMs(): number {
    return 300 + this.below(3000);
  }

  volatile(type: string): string {
    return `volatile-${type}:${this.below(this.#keys.volatile)}`;
  }

  nowMs(): number {
    return this.#nowMs();
  }

  /** A stream of this connection and the last id in it; made with its group when it is new. */
  stream(): { readonly key: string; readonly index: number; readonly lastId: number } {
    const index = this.below(this.#keys.streams);
    const key = `streams:${this.#connection}:${index}`;
    if (this.#lastIds[index] === undefined) this.#createStream(key, index);
    return { key, index, lastId: this.#lastIds[index] ?? 0 };
  }

  /** The id of the stream's next entry. */
  nextId(index: number): string {
    const next = (this.#lastIds[index] ?? 0) + 1;
    this.#lastIds[index] = next;
    return entryId(next);
  }

  recreateStream(): void {
    const { key, index } = this.stream();
    this.out.add("DEL", key);
    this.#createStream(key, index);
  }

  #createStream(key: string, index: number): void {
    this.#lastIds[index] ??= 0;
    // A run with another seed may have left it; then there is nothing to create.
    this.out.add("DEL", key);
    this.out.add("XGROUP", "CREATE", key, "g1", "$", "MKSTREAM");
    this.out.add("XGROUP", "CREATE", key, "g2", "0");
  }

  #pick(steps: readonly Step[]): Step {
    return steps[this.below(steps.length)] as Step;
  }
}

/** Text that compresses well beside bytes that do not. */
function filler(random: SeededRandom): string {
  const bytes = Buffer.alloc(FILLER_BYTES);
  for (let at = 0; at < FILLER_BYTES; at++) {
    const isText = (at >> 10) % 2 === 0;
    bytes[at] = isText ? 97 + ((at * 7 + (at >> 5)) % 23) : random.below(256);
  }
  return bytes.toString("latin1");
}

const WEIGHTED: readonly (readonly [weight: number, step: Step])[] = [
  [24, (m) => m.out.add("SET", m.key("strings"), m.value())],
  [5, (m) => m.out.add("SET", m.key("strings"), m.value(), "PX", m.ttlMs())],
  [3, (m) => m.out.add("SET", m.key("strings"), m.value(), "EX", Math.ceil(m.ttlMs() / 1000))],
  [2, (m) => m.out.add("SET", m.key("strings"), m.value(), "PXAT", m.nowMs() + m.ttlMs())],
  [2, (m) => m.out.add("SET", m.key("strings"), m.value(), "KEEPTTL")],
  [2, (m) => m.out.add("SET", m.key("strings"), m.value(), m.below(2) === 0 ? "NX" : "XX")],
  [2, (m) => m.out.add("SETEX", m.key("strings"), Math.ceil(m.ttlMs() / 1000), m.value())],
  [2, (m) => m.out.add("GETSET", m.key("strings"), m.value())],
  [1, (m) => m.out.add("GETEX", m.key("strings"), "PX", m.ttlMs())],
  [1, (m) => m.out.add("GETDEL", m.key("strings"))],
  [6, (m) => m.out.add("APPEND", m.key("strings"), m.value().slice(0, 40))],
  [2, (m) => m.out.add("SETRANGE", m.key("strings"), m.below(60), m.value().slice(0, 20))],
  [10, (m) => m.out.add("INCR", m.key("counters"))],
  [4, (m) => m.out.add("INCRBY", m.key("counters"), m.below(1000) - 500)],
  [2, (m) => m.out.add("DECR", m.key("counters"))],
  [4, (m) => m.out.add("MSET", ...Array.from({ length: 2 + m.below(4) }, () => [m.key("strings"), m.value()]).flat())],
  [10, (m) => m.out.add("HSET", m.key("hashes"), ...m.members().flatMap((field) => [field, m.value()]))],
  [2, (m) => m.out.add("HSETNX", m.key("hashes"), m.member(), m.value())],
  [3, (m) => m.out.add("HDEL", m.key("hashes"), ...m.members())],
  [4, (m) => m.out.add("HINCRBY", m.key("hashes"), `n${m.below(20)}`, m.below(100) - 50)],
  [5, (m) => m.out.add("RPUSH", m.key("lists"), ...m.values())],
  [4, (m) => m.out.add("LPUSH", m.key("lists"), ...m.values())],
  [1, (m) => m.out.add("RPUSHX", m.key("lists"), m.value())],
  [4, (m) => m.out.add("LPOP", m.key("lists"), 1 + m.below(2))],
  [4, (m) => m.out.add("RPOP", m.key("lists"))],
  [
    5,
    (m) =>
      m.out.add(
        "LMOVE",
        m.key("lists"),
        m.key("lists"),
        m.below(2) === 0 ? "LEFT" : "RIGHT",
        m.below(2) === 0 ? "LEFT" : "RIGHT",
      ),
  ],
  [2, (m) => m.out.add("RPOPLPUSH", m.key("lists"), m.key("lists"))],
  [1, (m) => m.out.add("LTRIM", m.key("lists"), m.below(4), 60 + m.below(60))],
  [1, (m) => m.out.add("LREM", m.key("lists"), 0, "")],
  [8, (m) => m.out.add("SADD", m.key("sets"), ...m.members())],
  [3, (m) => m.out.add("SREM", m.key("sets"), ...m.members())],
  [4, (m) => m.out.add("SMOVE", m.key("sets"), m.key("sets"), m.member())],
  [2, (m) => m.out.add("SPOP", m.key("sets"))],
  [1, (m) => m.out.add("SPOP", m.key("sets"), 3)],
  [1, (m) => m.out.add("SADD", m.key("sets"), String(m.below(70_000)))],
  [1, (m) => m.out.add("SUNIONSTORE", m.key("sets"), m.key("sets"), m.key("sets"))],
  [1, (m) => m.out.add("SDIFFSTORE", m.key("sets"), m.key("sets"), m.key("sets"))],
  [8, (m) => m.out.add("ZADD", m.key("zsets"), ...m.members().flatMap((member) => [m.score(), member]))],
  [1, (m) => m.out.add("ZADD", m.key("zsets"), m.below(2) === 0 ? "GT" : "LT", m.score(), m.member())],
  [4, (m) => m.out.add("ZINCRBY", m.key("zsets"), m.score(), m.member())],
  [2, (m) => m.out.add("ZPOPMIN", m.key("zsets"))],
  [1, (m) => m.out.add("ZPOPMAX", m.key("zsets"), 2)],
  [2, (m) => m.out.add("ZREM", m.key("zsets"), ...m.members())],
  [1, (m) => m.out.add("ZREMRANGEBYRANK", m.key("zsets"), 0, m.below(3))],
  [7, addEntry],
  [4, readGroup],
  [3, acknowledge],
  [1, deleteEntry],
  [1, trimStream],
  [2, (m) => m.out.add("RENAME", ...m.twoKeys("strings"))],
  [1, (m) => m.out.add("RENAME", ...m.twoKeys("lists"))],
  [1, (m) => m.out.add("RENAME", ...m.twoKeys("zsets"))],
  [1, (m) => m.out.add("COPY", ...m.twoKeys("strings"), "REPLACE")],
  [1, (m) => m.out.add("COPY", ...m.twoKeys("hashes"), "REPLACE")],
  [1, (m) => m.out.add("COPY", ...m.twoKeys("sets"), "REPLACE")],
  [2, (m) => m.out.add("PEXPIRE", m.key("strings"), m.ttlMs())],
  [1, (m) => m.out.add("EXPIRE", m.key("hashes"), Math.ceil(m.ttlMs() / 1000))],
  [1, (m) => m.out.add("PEXPIREAT", m.key("sets"), m.nowMs() + m.ttlMs())],
  [1, (m) => m.out.add("PEXPIRE", m.key("lists"), m.ttlMs())],
  [2, (m) => m.out.add("PERSIST", m.key("strings"))],
  [1, (m) => m.out.add("PERSIST", m.key("hashes"))],
  [2, (m) => m.out.add("DEL", m.key("strings"))],
  [1, (m) => m.out.add("DEL", m.key("hashes"), m.key("strings"), m.key("lists"))],
  [1, (m) => m.out.add("UNLINK", m.key("zsets"), m.key("sets"))],
  [6, (m) => m.out.add("SET", m.volatile("string"), m.value(), "PX", m.soonMs())],
  [2, (m) => m.out.add("SET", m.volatile("string"), m.value(), "PXAT", m.nowMs() + m.soonMs())],
  [1, (m) => m.out.add("SETEX", m.volatile("string"), 1 + m.below(3), m.value())],
  [1, (m) => m.out.add("APPEND", m.volatile("string"), m.value().slice(0, 20))],
  [1, (m) => m.out.add("GETSET", m.volatile("string"), m.value())],
  [1, (m) => m.out.add("GETDEL", m.volatile("string"))],
  [1, (m) => m.out.add("UNLINK", m.volatile("hash"), m.volatile("string"))],
  [1, (m) => madeVolatile(m, m.volatile("hash"), ["HSET", m.member(), m.value(), m.member(), m.value()])],
  [1, (m) => madeVolatile(m, m.volatile("list"), ["RPUSH", ...m.values()])],
  [1, (m) => madeVolatile(m, m.volatile("set"), ["SADD", ...m.members()])],
  [1, (m) => madeVolatile(m, m.volatile("zset"), ["ZADD", m.score(), m.member()])],
  [2, transaction],
];

/** Always made anew, so that nothing of its former life matters. */
function madeVolatile(m: LoadMix, key: string, [name = "", ...args]: readonly string[]): void {
  m.out.add("DEL", key);
  m.out.add(name, key, ...args);
  m.out.add("PEXPIRE", key, m.soonMs());
}

const STEPS: readonly Step[] = WEIGHTED.flatMap(([weight, step]) => Array.from({ length: weight }, () => step));

const LARGE_STEPS: readonly Step[] = [
  (m) => m.out.add("SET", m.key("strings"), m.large()),
  (m) => m.out.add("HSET", m.key("hashes"), ...slices(m).flatMap((slice, i) => [`large${i}`, slice])),
  (m) => m.out.add("RPUSH", m.key("lists"), ...slices(m)),
  (m) => m.out.add("SADD", m.key("sets"), ...slices(m).map((slice, i) => `${i} ${slice}`)),
  (m) => m.out.add("ZADD", m.key("zsets"), ...slices(m).flatMap((slice, i) => [m.score(), `${i} ${slice}`])),
  // Gone again, or nothing but large values would be left in the end.
  (m) => m.out.add("DEL", m.key("hashes"), m.key("lists"), m.key("sets"), m.key("zsets")),
];

function slices(m: LoadMix): string[] {
  const large = m.large();
  const bytes = 300 + m.below(700);
  return Array.from({ length: Math.floor(large.length / bytes) }, (_, i) => large.slice(i * bytes, (i + 1) * bytes));
}

function addEntry(m: LoadMix): void {
  const { key, index } = m.stream();
  const limit = m.below(3) === 0 ? ["MAXLEN", STREAM_ENTRIES] : [];
  m.out.add("XADD", key, ...limit, m.nextId(index), "field", m.value(), "n", m.below(1000));
}

function readGroup(m: LoadMix): void {
  const { key } = m.stream();
  m.out.add(
    "XREADGROUP",
    "GROUP",
    `g${1 + m.below(2)}`,
    `consumer${m.below(3)}`,
    "COUNT",
    1 + m.below(5),
    "STREAMS",
    key,
    ">",
  );
}

/** A run of entries, most of them pending, so that few are left behind for good. */
function acknowledge(m: LoadMix): void {
  const { key, lastId } = m.stream();
  const first = lastId - 8 - m.below(40);
  m.out.add(
    "XACK",
    key,
    `g${1 + m.below(2)}`,
    ...Array.from({ length: 12 }, (_, i) => entryId(Math.max(1, first + i))),
  );
}

/** With its pending entries: what is pending of a deleted message is not carried to every target. */
function deleteEntry(m: LoadMix): void {
  const { key, lastId } = m.stream();
  const id = entryId(Math.max(1, lastId - m.below(50)));
  for (const group of ["g1", "g2"]) m.out.add("XACK", key, group, id);
  m.out.add("XDEL", key, id);
}

function entryId(n: number): string {
  return `${n}-${n % 3}`;
}

function trimStream(m: LoadMix): void {
  if (m.below(40) === 0) m.recreateStream();
  else m.out.add("XTRIM", m.stream().key, "MAXLEN", STREAM_ENTRIES);
}

const IN_TRANSACTION: readonly Step[] = [
  (m) => m.out.add("SET", m.key("strings"), m.value()),
  (m) => m.out.add("INCR", m.key("counters")),
  (m) => m.out.add("HSET", m.key("hashes"), m.member(), m.value()),
  (m) => m.out.add("RPUSH", m.key("lists"), m.value()),
  (m) => m.out.add("LPOP", m.key("lists")),
  (m) => m.out.add("ZINCRBY", m.key("zsets"), m.score(), m.member()),
  (m) => m.out.add("MSET", m.key("strings"), m.value(), m.key("strings"), m.value()),
  (m) => m.out.add("DEL", m.key("strings"), m.key("sets")),
];

function transaction(m: LoadMix): void {
  m.out.add("MULTI");
  for (let left = 2 + m.below(4); left > 0; left--) IN_TRANSACTION[m.below(IN_TRANSACTION.length)]?.(m);
  m.out.add("EXEC");
}
