/**
 * Random write commands over few keys, so that they meet each other's values: each type has names of its own, but a command now and then takes one of
 * another type, and RENAME, COPY and SET put types under any name. The same seed gives the same commands, but for stream ids, which are times.
 *
 * Left out is what a master journals so that no replica could follow: filters and sketches, LMPOP and ZMPOP of more than one element, scores of many
 * digits in stores.
 */
import type { SeededRandom } from "../support/hostile.ts";

export type Word = string | number | Buffer;
export type RandomCommand = readonly Word[];

const TYPES = ["s", "l", "t", "h", "z", "x", "j"] as const;
type Type = (typeof TYPES)[number];
const NAMES = 4;
const DATABASES = [0, 0, 0, 1, 9];
const FAR_SECONDS = 400_000;

export type CommandSource = {
  /** Ids of what a stream holds, in order; none when the key holds no stream. */
  streamIds(key: string): readonly string[];
  /** Databases may be emptied now. */
  readonly canFlush: boolean;
};

export class RandomCommands {
  readonly #random: SeededRandom;
  readonly #source: CommandSource;

  constructor(random: SeededRandom, source: CommandSource) {
    this.#random = random;
    this.#source = source;
  }

  next(): RandomCommand {
    const kind = this.#random.below(100);
    if (kind < 6) return ["SELECT", this.#of(DATABASES)];
    if (kind < 26) return this.#keyCommand();
    const type = this.#of(TYPES);
    const make = this.#of(this.#makers[type]);
    return make(this.#key(type));
  }

  #of<T>(from: readonly [T, ...T[]] | readonly T[]): T {
    return from[this.#random.below(from.length)] as T;
  }

  #n(below: number): number {
    return this.#random.below(below);
  }

  #key(type: Type): string {
    return `${this.#n(12) === 0 ? this.#of(TYPES) : type}${this.#n(NAMES)}`;
  }

  #lexKey(): string {
    return `lex${this.#n(2)}`;
  }

  #any(): string {
    return `${this.#of(TYPES)}${this.#n(NAMES)}`;
  }

  /** Of a small set, so that members meet. */
  #member(): string {
    return `m${this.#n(12)}`;
  }

  #members(most = 4): string[] {
    return Array.from({ length: 1 + this.#n(most) }, () => this.#member());
  }

  #text(): Word {
    const kind = this.#n(12);
    if (kind < 4) return this.#n(300) - 100;
    if (kind < 5) return "";
    if (kind < 7) return this.#random.bytes(this.#n(90));
    if (kind < 8) return "many words ".repeat(this.#n(600));
    return `text ${this.#n(1000)}`;
  }

  #texts(most = 4): Word[] {
    const length = this.#n(25) === 0 ? 150 : 1 + this.#n(most);
    return Array.from({ length }, () => this.#text());
  }

  #pairs(): Word[] {
    return this.#members().flatMap((member) => [member, this.#text()]);
  }

  #score(): Word {
    return this.#of<Word>([this.#n(20) - 10, this.#n(1000) / 4, "inf", "-inf"]);
  }

  #scored(): Word[] {
    return this.#members().flatMap((member) => [this.#n(40) - 20, member]);
  }

  #index(): number {
    return this.#n(12) - 6;
  }

  /** Milliseconds: soon or in days. */
  #soonMs(): number {
    return this.#n(3) === 0 ? 1 + this.#n(50) : 100_000_000 + this.#n(1000) * 1000;
  }

  #keyCommand(): RandomCommand {
    const [a, b] = [this.#any(), this.#any()];
    const far = Date.now() + 200_000_000;
    const ways: readonly (() => RandomCommand)[] = [
      () => ["DEL", a],
      () => ["UNLINK", a, b],
      () => ["DELEX", a],
      () => ["EXPIRE", a, FAR_SECONDS, ...this.#of([[], ["NX"], ["XX"], ["GT"], ["LT"]])],
      () => ["PEXPIRE", a, this.#soonMs()],
      () => ["PEXPIRE", a, -1],
      () => ["EXPIREAT", a, Math.floor(far / 1000)],
      () => ["PEXPIREAT", a, far + this.#n(1000)],
      () => ["PERSIST", a],
      () => ["PERSIST", a],
      () => ["STICK", a],
      () => ["RENAME", a, b],
      () => ["RENAMENX", a, b],
      () => ["COPY", a, b],
      () => ["COPY", a, b, "REPLACE"],
      () => ["MOVE", a, this.#of(DATABASES)],
      () => (this.#source.canFlush && this.#n(12) === 0 ? [this.#of(["FLUSHDB", "FLUSHALL"])] : ["PERSIST", b]),
    ];
    return this.#of(ways)();
  }

  readonly #makers: Readonly<Record<Type, readonly ((key: string) => RandomCommand)[]>> = {
    s: [
      (key) => ["SET", key, this.#text()],
      (key) => ["SET", key, this.#text(), ...this.#of([["NX"], ["XX"], ["KEEPTTL"], ["GET"], ["STICK"]])],
      (key) => ["SET", key, this.#text(), "PX", this.#soonMs()],
      (key) => ["SET", key, this.#n(1000), "EX", FAR_SECONDS],
      (key) => ["SETEX", key, FAR_SECONDS, this.#text()],
      (key) => ["PSETEX", key, this.#soonMs(), this.#text()],
      (key) => ["SETNX", key, this.#text()],
      (key) => ["GETEX", key, ...this.#of<readonly Word[]>([["PERSIST"], ["PX", this.#soonMs()], []])],
      (key) => ["GETSET", key, this.#text()],
      (key) => ["GETDEL", key],
      (key) => ["APPEND", key, this.#text()],
      (key) => ["PREPEND", key, this.#text()],
      (key) => ["SETRANGE", key, this.#n(60), this.#text()],
      (key) => [this.#of(["INCR", "DECR"]), key],
      (key) => [this.#of(["INCRBY", "DECRBY"]), key, this.#n(2000) - 1000],
      (key) => ["INCRBYFLOAT", key, (this.#n(2000) - 1000) / 8],
      (key) => ["MSET", key, this.#text(), this.#key("s"), this.#text(), this.#key("s"), this.#n(9)],
      (key) => ["MSETNX", key, this.#text(), this.#key("s"), this.#text()],
    ],
    l: [
      (key) => [this.#of(["LPUSH", "RPUSH"]), key, ...this.#texts()],
      (key) => [this.#of(["LPUSH", "RPUSH"]), key, ...this.#members()],
      (key) => [this.#of(["LPUSHX", "RPUSHX"]), key, ...this.#members()],
      (key) => [this.#of(["LPOP", "RPOP"]), key, ...this.#of<readonly Word[]>([[], [1 + this.#n(4)]])],
      (key) => ["LMPOP", 2, key, this.#key("l"), this.#of(["LEFT", "RIGHT"])],
      (key) => [this.#of(["BLPOP", "BRPOP"]), key, this.#key("l"), 0.01],
      (key) => ["LMOVE", key, this.#key("l"), this.#of(["LEFT", "RIGHT"]), this.#of(["LEFT", "RIGHT"])],
      (key) => ["BLMOVE", key, this.#key("l"), this.#of(["LEFT", "RIGHT"]), this.#of(["LEFT", "RIGHT"]), 0.01],
      (key) => ["RPOPLPUSH", key, this.#key("l")],
      (key) => ["LSET", key, this.#index(), this.#text()],
      (key) => ["LREM", key, this.#n(5) - 2, this.#member()],
      (key) => ["LTRIM", key, this.#index(), this.#n(6) === 0 ? this.#index() : -1],
      (key) => ["LINSERT", key, this.#of(["BEFORE", "AFTER"]), this.#member(), this.#text()],
    ],
    t: [
      (key) => ["SADD", key, ...this.#members()],
      (key) => ["SADD", key, ...this.#texts()],
      (key) => ["SADD", key, this.#n(100), this.#n(100_000)],
      (key) => ["SADDEX", key, FAR_SECONDS + this.#n(1000), ...this.#members()],
      (key) => ["SREM", key, ...this.#members()],
      (key) => ["SPOP", key, ...this.#of<readonly Word[]>([[], [1 + this.#n(3)]])],
      (key) => ["SMOVE", key, this.#key("t"), this.#member()],
      (key) => ["FIELDEXPIRE", key, FAR_SECONDS, ...this.#members()],
      (key) => [this.#of(["SDIFFSTORE", "SINTERSTORE", "SUNIONSTORE"]), key, this.#key("t"), this.#key("t")],
    ],
    h: [
      (key) => ["HSET", key, ...this.#pairs()],
      (key) => ["HMSET", key, ...this.#pairs()],
      (key) => ["HSETNX", key, this.#member(), this.#text()],
      (key) => ["HSETEX", key, FAR_SECONDS + this.#n(1000), ...this.#pairs()],
      (key) => ["HSETEX", key, ...this.#of([["NX"], ["KEEPTTL"]]), FAR_SECONDS, ...this.#pairs()],
      (key) => ["HEXPIRE", key, FAR_SECONDS, "FIELDS", 2, this.#member(), this.#member()],
      (key) => ["FIELDEXPIRE", key, FAR_SECONDS, ...this.#members()],
      (key) => ["HDEL", key, ...this.#members()],
      (key) => ["HINCRBY", key, this.#member(), this.#n(200) - 100],
      (key) => ["HINCRBYFLOAT", key, this.#member(), this.#n(200) / 8],
    ],
    z: [
      (key) => ["ZADD", key, ...this.#scored()],
      (key) => ["ZADD", key, this.#score(), this.#member(), 1.5, this.#text()],
      (key) => ["ZADD", key, ...this.#of([["NX"], ["XX"], ["GT"], ["LT", "CH"], ["CH"]]), ...this.#scored()],
      (key) => ["ZADD", key, "INCR", this.#n(20) - 10, this.#member()],
      (key) => ["ZINCRBY", key, (this.#n(100) - 50) / 4, this.#member()],
      (key) => ["ZREM", key, ...this.#members()],
      (key) => [this.#of(["ZPOPMIN", "ZPOPMAX"]), key, ...this.#of<readonly Word[]>([[], [1 + this.#n(3)]])],
      (key) => ["ZMPOP", 2, key, this.#key("z"), this.#of(["MIN", "MAX"])],
      (key) => [this.#of(["BZPOPMIN", "BZPOPMAX"]), key, this.#key("z"), 0.01],
      (key) => [this.#of(["ZUNIONSTORE", "ZINTERSTORE"]), key, 2, this.#key("z"), this.#key("z")],
      (key) => ["ZUNIONSTORE", key, 2, this.#key("z"), this.#key("z"), "WEIGHTS", 2, 1, "AGGREGATE", "MAX"],
      (key) => ["ZDIFFSTORE", key, 2, this.#key("z"), this.#key("z")],
      (key) => ["ZRANGESTORE", key, this.#key("z"), this.#n(3), -1],
      (key) => ["ZREMRANGEBYRANK", key, this.#n(5), this.#n(3)],
      (key) => ["ZREMRANGEBYSCORE", key, this.#n(20) - 10, `(${this.#n(10)}`],
      // Ranges by name mean something only where all scores are equal, so these keys are left to them.
      () => ["ZADD", this.#lexKey(), ...this.#members(6).flatMap((member) => [0, member])],
      () => ["ZREMRANGEBYLEX", this.#lexKey(), "[m3", "(m5"],
    ],
    x: [
      (key) => ["XADD", key, "*", ...this.#pairs()],
      (key) => ["XADD", key, "*", ...this.#pairs()],
      (key) => ["XADD", key, "MAXLEN", 2 + this.#n(20), "*", ...this.#pairs()],
      (key) => ["XADD", key, "NOMKSTREAM", "*", ...this.#pairs()],
      (key) => ["XGROUP", "CREATE", key, this.#group(), this.#of(["0", "$"]), "MKSTREAM"],
      (key) => ["XGROUP", "CREATE", key, this.#group(), "0"],
      (key) => ["XGROUP", "CREATECONSUMER", key, this.#group(), this.#member()],
      (key) => ["XGROUP", "DELCONSUMER", key, this.#group(), this.#member()],
      (key) => ["XGROUP", "SETID", key, this.#group(), this.#of(["0", "$"])],
      (key) => (this.#n(4) === 0 ? ["XGROUP", "DESTROY", key, this.#group()] : this.#read(key)),
      (key) => this.#read(key),
      (key) => this.#read(key),
      (key) => ["XACK", key, this.#group(), ...this.#ids(key)],
      (key) => ["XCLAIM", key, this.#group(), this.#member(), 0, ...this.#ids(key)],
      (key) => ["XCLAIM", key, this.#group(), this.#member(), 0, ...this.#ids(key), "FORCE", "JUSTID"],
      (key) => [
        "XAUTOCLAIM",
        key,
        this.#group(),
        this.#member(),
        0,
        "0-0",
        ...this.#of([[], ["COUNT", 2], ["JUSTID"]]),
      ],
      (key) => ["XDEL", key, ...this.#ids(key)],
      (key) => ["XTRIM", key, "MAXLEN", 1 + this.#n(15)],
      (key) => ["XTRIM", key, "MINID", this.#id(key)],
    ],
    j: [
      (key) => ["JSON.SET", key, "$", this.#document()],
      (key) => ["JSON.SET", key, "$", this.#document(), this.#of(["NX", "XX"])],
      (key) => ["JSON.SET", key, this.#of(["$.a", "$.b", ".a", "$.list[0]", "$.o.x"]), this.#document()],
      (key) => ["JSON.MSET", key, "$", this.#document(), this.#key("j"), "$", this.#document()],
      (key) => ["JSON.DEL", key, ...this.#of([[], ["$"]])],
    ],
  };

  #group(): string {
    return `g${this.#n(2)}`;
  }

  #read(key: string): RandomCommand {
    const options = this.#of<readonly Word[]>([[], ["COUNT", 2], ["COUNT", 1, "NOACK"]]);
    return ["XREADGROUP", "GROUP", this.#group(), this.#member(), ...options, "STREAMS", key, ">"];
  }

  #id(key: string): string {
    const ids = this.#source.streamIds(key);
    return ids[this.#n(Math.max(1, ids.length))] ?? "5-5";
  }

  #ids(key: string): string[] {
    return Array.from({ length: 1 + this.#n(3) }, () => this.#id(key));
  }

  #document(): string {
    const scalar = this.#of<unknown>([this.#n(100), "text", 'quo"ted \u00e9\n', null, true, 2.5, -0.125, ""]);
    const deep = { a: scalar, list: [scalar, 1, { x: [] }], o: { x: this.#n(9), y: {} }, b: "b" };
    return JSON.stringify(this.#of<unknown>([deep, deep, scalar, { a: 1 }, [1, [2]]]));
  }
}
