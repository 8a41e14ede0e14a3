/**
 * Writes `RESTORE key ttl payload REPLACE ABSTTL`: the payload is the type byte, the body verbatim, the RDB version and CRC-64 (Redis
 * src/cluster.c createDumpPayload). The body is copied once, straight into the command.
 *
 * The caller asks `fits` first: a target closes the connection over an argument that is longer than its `proto-max-bulk-len`.
 */
import type { Slice } from "../../bytes/slice.ts";
import { Crc64 } from "../../codec/crc64.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import { RDB_TYPE_STRING } from "../../rdb/opcodes.ts";
import type { TargetCapabilities } from "../capabilities.ts";
import { StreamBodyRewriter } from "./stream-body-rewriter.ts";

const RESTORE = Buffer.from("*6\r\n$7\r\nRESTORE\r\n");
const NO_TTL = Buffer.from("$1\r\n0\r\n");
const REPLACE_ABSTTL = Buffer.from("$7\r\nREPLACE\r\n$6\r\nABSTTL\r\n");
const TYPE_BYTES = 1;
const VERSION_BYTES = 2;
const CRC_BYTES = 8;
/** What a payload has around its body. */
export const RESTORE_FRAME_BYTES = TYPE_BYTES + VERSION_BYTES + CRC_BYTES;
/** Longest length in front of a string: its kind and 32 bits. */
const STRING_LENGTH_BYTES = 5;

export class RestoreWriter {
  readonly #encoder: CommandEncoder;
  readonly #rdbVersion: number;
  readonly #maxBodyBytes: number;
  readonly #crc = new Crc64();
  readonly #stream = new StreamBodyRewriter();

  constructor(encoder: CommandEncoder, capabilities: Pick<TargetCapabilities, "rdbVersion" | "maxBulkBytes">) {
    this.#encoder = encoder;
    this.#rdbVersion = capabilities.rdbVersion;
    this.#maxBodyBytes = capabilities.maxBulkBytes - RESTORE_FRAME_BYTES;
  }

  /** Whether the target takes a body of that size in one argument. */
  fits(bodyBytes: number): boolean {
    return bodyBytes <= this.#maxBodyBytes;
  }

  fitsString(bytes: number): boolean {
    return bytes <= this.#maxBodyBytes - STRING_LENGTH_BYTES;
  }

  /** @param expireAtMs Unix ms above 0, or -1 */
  verbatim(key: Slice, expireAtMs: number, type: number, body: Slice): void {
    this.#head(key, expireAtMs);
    const { buf, at } = this.#encoder.argReserve(RESTORE_FRAME_BYTES + body.length);
    body.buf.copy(buf, at + TYPE_BYTES, body.start, body.end);
    this.#seal(buf, at, type, body.length);
  }

  /** A string, which the decoder has taken out of its encoding. */
  string(key: Slice, expireAtMs: number, value: Slice): void {
    this.#head(key, expireAtMs);
    const lengthBytes = value.length < 64 ? 1 : value.length < 16_384 ? 2 : STRING_LENGTH_BYTES;
    const size = lengthBytes + value.length;
    const { buf, at } = this.#encoder.argReserve(RESTORE_FRAME_BYTES + size);
    writeLength(buf, at + TYPE_BYTES, value.length, lengthBytes);
    value.buf.copy(buf, at + TYPE_BYTES + lengthBytes, value.start, value.end);
    this.#seal(buf, at, RDB_TYPE_STRING, size);
  }

  /** A stream as one of an older type (`olderStreamType`). @throws STREAM_CORRUPT */
  streamAs(key: Slice, expireAtMs: number, types: { readonly from: number; readonly to: number }, body: Slice): void {
    const size = this.#stream.scan(body, types.from, types.to);
    this.#head(key, expireAtMs);
    const { buf, at } = this.#encoder.argReserve(RESTORE_FRAME_BYTES + size);
    this.#stream.write(body, buf, at + TYPE_BYTES);
    this.#seal(buf, at, types.to, size);
  }

  #head(key: Slice, expireAtMs: number): void {
    this.#encoder.beginEncoded(RESTORE);
    this.#encoder.arg(key);
    if (expireAtMs === -1) this.#encoder.constantArgs(NO_TTL);
    else this.#encoder.argInt(expireAtMs);
  }

  /** Type, version and checksum around a body that stands at `at + 1`, and the end of the command. */
  #seal(buf: Buffer, at: number, type: number, bodySize: number): void {
    buf[at] = type;
    const end = at + TYPE_BYTES + bodySize;
    buf[end] = this.#rdbVersion & 0xff;
    buf[end + 1] = this.#rdbVersion >> 8;
    this.#crc
      .reset()
      .update(buf, at, end + VERSION_BYTES)
      .writeLE(buf, end + VERSION_BYTES);
    this.#encoder.constantArgs(REPLACE_ABSTTL);
  }
}

/** Redis src/rdb.c rdbSaveLen: 6 bits, 14 bits, or a marker and 32 bits, big-endian. */
function writeLength(buf: Buffer, at: number, value: number, bytes: number): void {
  if (bytes === 1) buf[at] = value;
  else if (bytes === 2) buf.writeUInt16BE(0x4000 | value, at);
  else {
    buf[at] = 0x80;
    buf.writeUInt32BE(value, at + 1);
  }
}
