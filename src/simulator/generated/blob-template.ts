/**
 * A ready blob of objects in which only the numbers of the keys are still open. Making one costs an encoding and a compression, filling it in a copy and
 * some digits: that is what makes generated flows fast. In an LZ4 frame the numbers' places are found by random marks that no reference can cover; what
 * the frame says of its content does not depend on them, since Dragonfly's frames have no checksum of it.
 */
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import type { CompressionMode } from "../live/replication/blob-compressor.ts";
import { rdbProfile } from "../live/replication/rdb-profile.ts";
import { SnapshotSerializer } from "../live/replication/snapshot-serializer.ts";
import type { Value } from "../live/values.ts";
import type { SeededRandom } from "./seeded-random.ts";

export const KEY_PREFIX = "key:";
export const KEY_DIGITS = 12;
/** A longer random mark would change how the key is compressed, a shorter one might come twice. */
const ATTEMPTS = 5;
const ZERO = 0x30;

export type TemplateFormat = { readonly compression: Exclude<CompressionMode, 2>; readonly version: string };

export class BlobTemplate {
  readonly bytes: Buffer;
  /** Where each object's number stands in `bytes`. */
  readonly #places: Int32Array;

  private constructor(bytes: Buffer, places: Int32Array) {
    this.bytes = bytes;
    this.#places = places;
  }

  static make(values: readonly Value[], format: TemplateFormat, random: SeededRandom): BlobTemplate {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const template = BlobTemplate.#try(values, format, random);
      if (template !== undefined) return template;
    }
    const plain = BlobTemplate.#try(values, { ...format, compression: 0 }, random);
    if (plain === undefined) throw new Df2RedisError("INTERNAL", "No marks can be found in an uncompressed blob.");
    return plain;
  }

  /** Objects in the blob. */
  get count(): number {
    return this.#places.length;
  }

  /** Writes the blob to `out[at…]`, the keys numbered from `first` on in steps of `step`; returns where it ends. */
  fill(out: Buffer, at: number, { first, step }: { readonly first: number; readonly step: number }): number {
    this.bytes.copy(out, at);
    const places = this.#places;
    for (let i = 0; i < places.length; i++) writeDigits(out, at + (places[i] ?? 0), first + i * step);
    return at + this.bytes.length;
  }

  static #try(values: readonly Value[], format: TemplateFormat, random: SeededRandom): BlobTemplate | undefined {
    const marks = values.map(() => mark(random));
    const bytes = encodeBlob(values, { ...format, numbers: marks });
    const places = marks.map((text) => onlyPlace(bytes, text));
    return places.includes(-1) ? undefined : new BlobTemplate(bytes, Int32Array.from(places));
  }
}

export type BlobFormat = {
  readonly compression: CompressionMode;
  readonly version: string;
  readonly numbers: readonly Buffer[];
};

/** The blob of these values, each with the key `key:` and its number. */
export function encodeBlob(values: readonly Value[], { compression, version, numbers }: BlobFormat): Buffer {
  const blobs: Buffer[] = [];
  const format = { profile: rdbProfile(version), compression, tagged: false, maxChunkBytes: 0 };
  const serializer = new SnapshotSerializer(format, (blob) => blobs.push(blob));
  for (const [i, value] of values.entries()) {
    const key = Buffer.concat([Buffer.from(KEY_PREFIX), numbers[i] ?? Buffer.alloc(0)]);
    serializer.finish(serializer.begin(0, { key, value, expireAtMs: -1, sticky: false }));
  }
  serializer.flush();
  return Buffer.concat(blobs);
}

export function keyNumber(number: number): Buffer {
  const digits = Buffer.alloc(KEY_DIGITS);
  writeDigits(digits, 0, number);
  return digits;
}

/** Two halves, since only 32-bit integers divide fast. */
function writeDigits(out: Buffer, at: number, number: number): void {
  const high = Math.floor(number / 1_000_000);
  writeSix(out, at, high);
  writeSix(out, at + 6, number - high * 1_000_000);
}

function writeSix(out: Buffer, at: number, number: number): void {
  let rest = number | 0;
  for (let place = at + 5; place >= at; place--) {
    const quotient = (rest / 10) | 0;
    out[place] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
}

/** No digits, so that it is never taken for an integer, and nothing that text contains. */
function mark(random: SeededRandom): Buffer {
  return Buffer.from(Array.from({ length: KEY_DIGITS }, () => 128 + random.below(128)));
}

function onlyPlace(bytes: Buffer, text: Buffer): number {
  const place = bytes.indexOf(text);
  return place >= 0 && bytes.indexOf(text, place + 1) < 0 ? place : -1;
}
