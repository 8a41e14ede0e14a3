/** The codecs against a real redis-server: what it dumps must decode to what it says it holds, what is built here it must take. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  buildIntset,
  buildZiplist,
  buildZipmap,
  elementText,
  type Element,
} from "../../test/support/codec-builders.ts";
import { SeededRandom } from "../../test/support/hostile.ts";
import { freePort, startRedis, type RedisServer } from "../../test/support/redis-server.ts";
import type { Argument, Reply, RespClient } from "../../test/support/resp-client.ts";
import { Slice } from "../bytes/slice.ts";
import { Crc64 } from "./crc64.ts";
import { keySlot } from "./crc16-slot.ts";
import type { ElementReader } from "./element-reader.ts";
import { IntsetReader } from "./intset.ts";
import { ListpackReader } from "./listpack.ts";
import { checkLzfLengths, lzfDecompress } from "./lzf.ts";
import { StreamNodeReader } from "./stream-listpack.ts";
import { ZiplistReader } from "./ziplist.ts";
import { ZipmapReader } from "./zipmap.ts";

const TYPE_HASH_ZIPMAP = 9;
const TYPE_LIST_ZIPLIST = 10;
const TYPE_SET_INTSET = 11;
const TYPE_ZSET_ZIPLIST = 12;
const TYPE_HASH_ZIPLIST = 13;
const TYPE_HASH_LISTPACK = 16;
const TYPE_ZSET_LISTPACK = 17;
const TYPE_LIST_QUICKLIST_2 = 18;
const TYPE_STREAM_LISTPACKS_2 = 19;
const RDB_VERSION = 10;
const CONTAINER_PLAIN = 1;

/** Just enough of RDB for the body of a DUMP. */
class DumpBody {
  lzfStrings = 0;
  readonly type: number;
  readonly #bytes: Buffer;
  #at = 1;

  constructor(bytes: Buffer) {
    this.type = bytes[0] as number;
    this.#bytes = bytes;
  }

  length(): number {
    const first = this.#bytes[this.#at++] as number;
    if (first < 0x40) return first;
    if (first < 0x80) return ((first & 0x3f) << 8) | (this.#bytes[this.#at++] as number);
    expect(first).toBe(0x80);
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  string(): Buffer {
    const first = this.#bytes[this.#at] as number;
    if (first === 0xc3) return this.#lzf();
    const size = this.length();
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  #lzf(): Buffer {
    this.#at++;
    const compressed = this.length();
    const size = this.length();
    checkLzfLengths(compressed, size, 64 * 1024 * 1024);
    const out = Buffer.alloc(size);
    lzfDecompress(this.#bytes, this.#at, this.#at + compressed, out, 0, size);
    this.#at += compressed;
    this.lzfStrings++;
    return out;
  }
}

function readAll(reader: ElementReader, body: Buffer): string[] {
  const out = new Slice();
  const found: string[] = [];
  reader.reset(body, 0, body.length);
  while (reader.next(out)) found.push(out.toLatin1());
  if (reader.count >= 0) expect(reader.count).toBe(found.length);
  return found;
}

function texts(reply: Reply): string[] {
  if (!Array.isArray(reply)) throw new Error("not an array");
  return reply.map((item) => (Buffer.isBuffer(item) ? item.toString("latin1") : String(item)));
}

/** type + body + version + CRC-64, as RESTORE wants it. */
function payload(type: number, body: Buffer): Buffer {
  const length = body.length <= 63 ? Buffer.from([body.length]) : Buffer.from([0x80, 0, 0, 0, 0]);
  if (body.length > 63) length.writeUInt32BE(body.length, 1);
  const bytes = Buffer.concat([Buffer.from([type]), length, body, Buffer.from([RDB_VERSION, 0]), Buffer.alloc(8)]);
  new Crc64().update(bytes, 0, bytes.length - 8).writeLE(bytes, bytes.length - 8);
  return bytes;
}

/** Strings and integers of every width and length that has a form of its own. */
function samples(): string[] {
  const random = new SeededRandom(51);
  const lengths = [0, 1, 63, 64, 200, 4095, 4096, 5000, 16_377, 16_378, 16_379, 70_000];
  const strings = lengths.map((length) => random.bytes(length).toString("latin1"));
  const runs = lengths.map((length) => "ab".repeat(length).slice(0, length));
  const powers = [6, 7, 11, 12, 13, 15, 16, 23, 24, 31, 32, 40, 52, 53, 54, 62].flatMap((bits) => [
    2n ** BigInt(bits) - 1n,
    -(2n ** BigInt(bits)),
    2n ** BigInt(bits),
  ]);
  return [
    ...new Set([
      ...strings,
      ...runs,
      ...powers.map(String),
      String(2n ** 63n - 1n),
      String(-(2n ** 63n)),
      "007",
      "-0",
      "1.5",
      "9223372036854775808",
    ]),
  ];
}

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

let server: RedisServer;
let redis: RespClient;

beforeAll(async () => {
  const huge = [
    "--hash-max-listpack-entries",
    "100000",
    "--hash-max-listpack-value",
    "1000000",
    "--zset-max-listpack-entries",
    "100000",
  ];
  const more = [
    "--zset-max-listpack-value",
    "1000000",
    "--list-max-listpack-size",
    "1000",
    "--stream-node-max-bytes",
    "0",
  ];
  server = await startRedis({ args: [...huge, ...more] });
  redis = await server.client();
});

afterAll(async () => {
  redis.close();
  await server.stop();
});

beforeEach(async () => {
  await redis.call("FLUSHALL");
});

async function dump(key: string): Promise<DumpBody> {
  const bytes = (await redis.call("DUMP", key)) as Buffer;
  // Each dump proves the checksum, too.
  expect(new Crc64().update(bytes, 0, bytes.length - 8).equalsLE(bytes, bytes.length - 8)).toBe(true);
  return new DumpBody(bytes);
}

async function restore(key: string, type: number, body: Buffer): Promise<void> {
  expect(await redis.call("RESTORE", key, 0, payload(type, body))).toBe("OK");
}

describe("what the server dumps", () => {
  test("a hash as one listpack", async () => {
    const fields = samples().flatMap((value, i) => [`${i % 2 === 0 ? "" : "f"}${i}`, value]);
    await redis.call("HSET", "h", ...fields.map(latin1));
    const body = await dump("h");
    expect(body.type).toBe(TYPE_HASH_LISTPACK);
    expect(readAll(new ListpackReader(), body.string())).toEqual(texts(await redis.call("HGETALL", "h")));
    expect(texts(await redis.call("HGETALL", "h"))).toEqual(fields);
  });

  test("a hash that LZF makes smaller", async () => {
    const fields = Array.from({ length: 500 }, (_, i) => [`field:${i}`, "value ".repeat(i % 90)]).flat();
    await redis.call("HSET", "h", ...fields);
    const body = await dump("h");
    expect(readAll(new ListpackReader(), body.string())).toEqual(fields);
    expect(body.lzfStrings).toBe(1);
  });

  test("a sorted set as one listpack", async () => {
    const members = samples().flatMap((member, i): Argument[] => [i * i - 100, latin1(member)]);
    await redis.call("ZADD", "z", ...members);
    const body = await dump("z");
    expect(body.type).toBe(TYPE_ZSET_LISTPACK);
    expect(readAll(new ListpackReader(), body.string())).toEqual(
      texts(await redis.call("ZRANGE", "z", 0, -1, "WITHSCORES")),
    );
  });

  test("a list of nodes", async () => {
    await redis.call("RPUSH", "l", ...samples().map(latin1), ...Array.from({ length: 3000 }, (_, i) => i));
    const body = await dump("l");
    expect(body.type).toBe(TYPE_LIST_QUICKLIST_2);
    const found: string[] = [];
    for (let nodes = body.length(); nodes > 0; nodes--) {
      const plain = body.length() === CONTAINER_PLAIN;
      const node = body.string();
      found.push(...(plain ? [node.toString("latin1")] : readAll(new ListpackReader(), node)));
    }
    expect(found).toEqual(texts(await redis.call("LRANGE", "l", 0, -1)));
  });

  test.each([
    ["16 bits", ["-32768", "-5", "0", "7", "32767"]],
    ["32 bits", ["-2147483648", "-32769", "0", "2147483647"]],
    [
      "64 bits",
      ["-9223372036854775808", "-9007199254740993", "0", "4294967296", "9007199254740993", "9223372036854775807"],
    ],
  ])("an intset of %s", async (_width, members) => {
    await redis.call("SADD", "s", ...members.toReversed());
    const body = await dump("s");
    expect(body.type).toBe(TYPE_SET_INTSET);
    expect(readAll(new IntsetReader(), body.string())).toEqual(members);
  });

  test.each([1, 3, 100])("a stream with %d entries a node", async (entriesPerNode) => {
    await redis.call("CONFIG", "SET", "stream-node-max-entries", entriesPerNode);
    const random = new SeededRandom(entriesPerNode);
    const names = [["a"], ["a", "b"], ["temperature", "300", "-7"]];
    let ms = 1000n;
    for (let i = 0; i < 400; i++) {
      // Each step up to 2^57: ids go through all widths, the last ones over 2^63.
      if (random.below(3) === 0) ms += 1n << BigInt(random.below(57));
      const fields = (names[random.below(3)] as string[]).flatMap((name) => [
        latin1(name),
        random.below(2) === 0 ? random.bytes(random.below(150)) : Buffer.from(String(random.below(1e6))),
      ]);
      await redis.call("XADD", "x", `${ms}-${i + 1}`, ...fields);
    }
    await redis.call("XADD", "x", "18446744073709551615-18446744073709551614", "last", "but one");
    await redis.call("XADD", "x", "18446744073709551615-18446744073709551615", "last", "one");
    const ids = ((await redis.call("XRANGE", "x", "-", "+")) as Reply[][]).map(([id]) => id as Buffer);
    await redis.call("XDEL", "x", ...ids.filter(() => random.below(5) === 0));

    const body = await dump("x");
    expect(body.type).toBe(TYPE_STREAM_LISTPACKS_2);
    const reader = new StreamNodeReader();
    const found: string[][] = [];
    for (let nodes = body.length(); nodes > 0; nodes--) {
      const key = body.string();
      const node = body.string();
      reader.reset(key, 0, key.length, node, 0, node.length);
      while (reader.next())
        found.push([reader.id, ...reader.fields.slice(0, reader.fieldCount).map((field) => field.toLatin1())]);
    }
    const held = (await redis.call("XRANGE", "x", "-", "+")) as Reply[][];
    expect(held.length).toBeLessThan(402);
    expect(found).toEqual(held.map(([id, fields]) => [String(id), ...texts(fields as Reply)]));
  });
});

describe("old bodies that the server takes", () => {
  const elements: Element[] = samples().map((text) =>
    /^(0|-?[1-9]\d*)$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text) ? BigInt(text) : latin1(text),
  );

  test.each([false, true])("a list in a ziplist, wide lengths %s", async (widePrevious) => {
    const body = buildZiplist(elements, { widePrevious });
    await restore("l", TYPE_LIST_ZIPLIST, body);
    const held = texts(await redis.call("LRANGE", "l", 0, -1));
    expect(held).toEqual(elements.map(elementText));
    expect(readAll(new ZiplistReader(), body)).toEqual(held);
  });

  test("a hash in a ziplist", async () => {
    const body = buildZiplist(elements.flatMap((value, i) => [BigInt(i * 997), value]));
    await restore("h", TYPE_HASH_ZIPLIST, body);
    expect(readAll(new ZiplistReader(), body)).toEqual(texts(await redis.call("HGETALL", "h")));
  });

  test("a sorted set in a ziplist", async () => {
    const body = buildZiplist(elements.flatMap((member, i) => [member, BigInt(i * 12_345 - 9)]));
    await restore("z", TYPE_ZSET_ZIPLIST, body);
    expect(readAll(new ZiplistReader(), body)).toEqual(texts(await redis.call("ZRANGE", "z", 0, -1, "WITHSCORES")));
  });

  test.each([0, 3])("a hash in a zipmap with %d unused bytes a value", async (free) => {
    const pairs = elements.map((value, i): [Buffer, Buffer] => [
      Buffer.from(`f${i}`),
      Buffer.from(elementText(value), "latin1"),
    ]);
    const body = buildZipmap(pairs, free);
    await restore("h", TYPE_HASH_ZIPMAP, body);
    expect(readAll(new ZipmapReader(), body)).toEqual(texts(await redis.call("HGETALL", "h")));
  });

  test.each([2, 4, 8])("an intset of %d-byte integers", async (width) => {
    const top = 2n ** BigInt(width * 8 - 1);
    const body = buildIntset([-top, -1n, 0n, 5n, top - 1n], width);
    await restore("s", TYPE_SET_INTSET, body);
    expect(readAll(new IntsetReader(), body).toSorted()).toEqual(texts(await redis.call("SMEMBERS", "s")).toSorted());
  });

  test("a payload with one bit of its checksum wrong is refused", async () => {
    const bytes = payload(TYPE_LIST_ZIPLIST, buildZiplist([1n]));
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    await expect(redis.call("RESTORE", "l", 0, bytes)).rejects.toThrow("checksum");
  });
});

test("slots are those of CLUSTER KEYSLOT", async () => {
  const random = new SeededRandom(61);
  const keys: Buffer[] = [
    "foo{}{bar}",
    "foo{bar}{zap}",
    "foo{{bar}}zap",
    "{",
    "}",
    "{}",
    "}{",
    "",
    "{user1000}.following",
  ].map((key) => Buffer.from(key));
  for (let i = 0; i < 2000; i++) {
    const key = random.bytes(random.below(24));
    // Braces often enough that all their orders come up.
    for (let at = 0; at < key.length; at++) if (random.below(5) === 0) key[at] = random.below(2) === 0 ? 0x7b : 0x7d;
    keys.push(key);
  }
  await using cluster = await startRedis({
    args: ["--cluster-enabled", "yes", "--cluster-port", String(await freePort())],
  });
  await using client = await cluster.client();
  const slots = await client.pipeline(keys.map((key) => ["CLUSTER", "KEYSLOT", key]));
  expect(keys.map((key) => keySlot(key, 0, key.length))).toEqual(slots);
});
