/**
 * Writes `RESTORE key ttl payload REPLACE ABSTTL`: the payload is the type byte, the body verbatim, the RDB version and CRC-64 (Redis
 * src/cluster.c createDumpPayload). The body is copied once, straight into the command.
 */
import type { Slice } from "../../bytes/slice.ts";
import { Crc64 } from "../../codec/crc64.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import { RDB_TYPE_STREAM_LISTPACKS_2 } from "../../rdb/opcodes.ts";
import { StreamBodyV3 } from "./stream-body-v3.ts";

const RESTORE = Buffer.from("*6\r\n$7\r\nRESTORE\r\n");
const NO_TTL = Buffer.from("$1\r\n0\r\n");
const REPLACE_ABSTTL = Buffer.from("$7\r\nREPLACE\r\n$6\r\nABSTTL\r\n");
const VERSION_BYTES = 2;
const CRC_BYTES = 8;

export class RestoreWriter {
  readonly #encoder: CommandEncoder;
  readonly #rdbVersion: number;
  readonly #crc = new Crc64();
  readonly #streamBody = new StreamBodyV3();

  constructor(encoder: CommandEncoder, rdbVersion: number) {
    this.#encoder = encoder;
    this.#rdbVersion = rdbVersion;
  }

  /** @param expireAtMs Unix ms above 0, or -1 */
  verbatim(key: Slice, expireAtMs: number, type: number, body: Slice): void {
    this.#head(key, expireAtMs);
    const { buf, at } = this.#encoder.argReserve(payloadSize(body.length));
    body.buf.copy(buf, at + 1, body.start, body.end);
    this.#seal(buf, at, type, body.length);
  }

  /** A stream of type 21 as type 19. */
  streamV3AsV2(key: Slice, expireAtMs: number, body: Slice): void {
    const size = this.#streamBody.scan(body);
    this.#head(key, expireAtMs);
    const { buf, at } = this.#encoder.argReserve(payloadSize(size));
    this.#streamBody.writeAsV2(body, buf, at + 1);
    this.#seal(buf, at, RDB_TYPE_STREAM_LISTPACKS_2, size);
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
    const end = at + 1 + bodySize;
    buf[end] = this.#rdbVersion & 0xff;
    buf[end + 1] = this.#rdbVersion >> 8;
    this.#crc
      .reset()
      .update(buf, at, end + VERSION_BYTES)
      .writeLE(buf, end + VERSION_BYTES);
    this.#encoder.constantArgs(REPLACE_ABSTTL);
  }
}

function payloadSize(bodySize: number): number {
  return 1 + bodySize + VERSION_BYTES + CRC_BYTES;
}
