/** Puts values that a real server has dumped into an RDB stream, as a master would send them. */
import { Crc64 } from "../../src/codec/crc64.ts";

const EXPIRETIME_MS = 252;
const SELECTDB = 254;
const EOF = 255;
const FOOTER_BYTES = 10;

export type DumpedObject = {
  readonly key: Buffer | string;
  readonly type: number;
  readonly body: Buffer;
  readonly db?: number;
  readonly expireAtMs?: number;
};

/** Type and body of a DUMP payload. */
export function splitDump(payload: Buffer): { type: number; body: Buffer } {
  return { type: payload[0] ?? -1, body: payload.subarray(1, payload.length - FOOTER_BYTES) };
}

/** What DUMP would have answered, for RESTORE. */
export function dumpPayload(type: number, body: Buffer, rdbVersion = 10): Buffer {
  const covered = Buffer.concat([Buffer.of(type), body, Buffer.of(rdbVersion, 0)]);
  const payload = Buffer.concat([covered, Buffer.alloc(8)]);
  new Crc64().update(covered, 0, covered.length).writeLE(payload, covered.length);
  return payload;
}

/** A stream body of type 19 as type 21, as Redis 7.2 and Dragonfly write it: each consumer has an active time after its seen time. */
export function withActiveTimes(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  let copied = 0;
  const length = (): number => {
    const first = body[at++] ?? 0;
    if (first < 0x40) return first;
    if (first < 0x80) return ((first & 0x3f) << 8) | (body[at++] ?? 0);
    const size = first === 0x80 ? 4 : 8;
    at += size;
    return first === 0x80 ? body.readUInt32BE(at - 4) : Number(body.readBigUInt64BE(at - 8));
  };
  const string = (): void => {
    const first = body[at] ?? 0;
    if (first < 0xc0) {
      const size = length();
      at += size;
      return;
    }
    at++;
    if (first < 0xc3) {
      at += 1 << (first - 0xc0);
      return;
    }
    const compressed = length();
    length();
    at += compressed;
  };
  for (let nodes = length(); nodes > 0; nodes--) {
    string();
    string();
  }
  for (let i = 0; i < 8; i++) length();
  for (let groups = length(); groups > 0; groups--) {
    string();
    for (let i = 0; i < 3; i++) length();
    for (let pending = length(); pending > 0; pending--) {
      at += 24;
      length();
    }
    for (let consumers = length(); consumers > 0; consumers--) {
      string();
      at += 8;
      parts.push(body.subarray(copied, at), Buffer.from("0102030405060000", "hex"));
      copied = at;
      const pending = length();
      at += 16 * pending;
    }
  }
  return Buffer.concat([...parts, body.subarray(copied)]);
}

/** @param version of the stream; type 20 is a set from 10 on */
export function rdbStream(objects: readonly DumpedObject[], version = 10): Buffer {
  const parts: Buffer[] = [Buffer.from(`REDIS${String(version).padStart(4, "0")}`)];
  for (const object of objects) {
    parts.push(Buffer.from([SELECTDB, object.db ?? 0]));
    if (object.expireAtMs !== undefined) {
      const deadline = Buffer.alloc(9);
      deadline[0] = EXPIRETIME_MS;
      deadline.writeBigInt64LE(BigInt(object.expireAtMs), 1);
      parts.push(deadline);
    }
    parts.push(Buffer.from([object.type]), rdbString(object.key), object.body);
  }
  parts.push(Buffer.from([EOF]), Buffer.alloc(8));
  return Buffer.concat(parts);
}

export function rdbString(text: Buffer | string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([rdbLength(bytes.length), bytes]);
}

export function rdbLength(length: number): Buffer {
  if (length < 64) return Buffer.from([length]);
  if (length < 16_384) return Buffer.from([0x40 | (length >> 8), length & 0xff]);
  const long = Buffer.alloc(5);
  long[0] = 0x80;
  long.writeUInt32BE(length, 1);
  return long;
}
