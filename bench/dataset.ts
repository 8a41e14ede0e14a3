/**
 * The data of the benchmarks, made one object after the other from a seed, in constant memory. What a hash or zset holds stays under the limits
 * up to which Redis and Dragonfly keep it as one listpack. The text is about as compressible as JSON: LZ4 makes two thirds of it.
 */
import { WORDS } from "../src/simulator/generated/generated-values.ts";
import { SeededRandom } from "../src/simulator/generated/seeded-random.ts";

export type ObjectKind = "string" | "hash" | "zset";

/** Text, or a number: whole ones are stored as integers. Valid until the next object. */
export type Part = Buffer | number;

export type DataObject = {
  readonly kind: ObjectKind;
  readonly key: Buffer;
  /** string: the value. hash: field, value, field, value, …. zset: member, score, member, score, … in ascending order of score. */
  readonly parts: readonly Part[];
};

export type DatasetOptions = {
  readonly keys: number;
  /** The kinds take turns in this order. */
  readonly kinds: readonly ObjectKind[];
  readonly seed?: number;
  readonly stringBytes?: number;
  readonly hashFields?: number;
  readonly zsetMembers?: number;
};

const POOL_BYTES = 1 << 20;
const FIELD_NAMES = ["id", "name", "email", "street", "city", "country", "created", "status", "language", "balance"];
/** Every third value of a hash is a number. */
const NUMBER_EVERY = 3;

export function* generateObjects(options: DatasetOptions): Generator<DataObject> {
  const random = new SeededRandom(options.seed ?? 1);
  const text = new TextPool(random);
  for (let i = 0; i < options.keys; i++) {
    const kind = options.kinds[i % options.kinds.length] ?? "string";
    yield {
      kind,
      key: Buffer.from(`${kind}:${String(i).padStart(9, "0")}`, "latin1"),
      parts: makeParts(kind, options, { random, text }),
    };
  }
}

type Sources = { readonly random: SeededRandom; readonly text: TextPool };

function makeParts(kind: ObjectKind, options: DatasetOptions, sources: Sources): Part[] {
  const { stringBytes = 100, hashFields = 10, zsetMembers = 20 } = options;
  if (kind === "string") return [sources.text.take(stringBytes)];
  return kind === "hash" ? hashParts(hashFields, sources) : zsetParts(zsetMembers, sources);
}

function hashParts(fields: number, { random, text }: Sources): Part[] {
  const parts: Part[] = [];
  for (let i = 0; i < fields; i++) {
    parts.push(fieldName(i), i % NUMBER_EVERY === 0 ? random.below(1_000_000_000) : text.take(8 + random.below(17)));
  }
  return parts;
}

function zsetParts(members: number, { random }: Sources): Part[] {
  const parts: Part[] = [];
  let score = random.below(1000);
  for (let i = 0; i < members; i++) {
    // Quarters are exact as doubles and short as text.
    score += 0.25 * (1 + random.below(400));
    parts.push(Buffer.from(`member:${random.below(1_000_000)}:${i}`, "latin1"), score);
  }
  return parts;
}

const fieldNames: Buffer[] = [];

function fieldName(i: number): Buffer {
  const base = FIELD_NAMES[i % FIELD_NAMES.length] ?? "";
  return (fieldNames[i] ??= Buffer.from(i < FIELD_NAMES.length ? base : `${base}${i}`));
}

/** Random words, numbers and JSON's punctuation, of which values are cut. */
class TextPool {
  readonly #random: SeededRandom;
  readonly #pool = Buffer.alloc(POOL_BYTES);

  constructor(random: SeededRandom) {
    this.#random = random;
    let at = 0;
    while (at < POOL_BYTES) {
      const piece = `"${WORDS[random.below(WORDS.length)] ?? ""}":"${random.below(2 ** 31).toString(36)}${random.below(2 ** 31).toString(36)}",`;
      at += this.#pool.write(piece, at, "latin1");
    }
  }

  take(bytes: number): Buffer {
    const at = this.#random.below(POOL_BYTES - bytes);
    return this.#pool.subarray(at, at + bytes);
  }
}

/** A number as Redis prints it. */
export function partText(part: Part): Buffer {
  return typeof part === "number" ? Buffer.from(String(part), "latin1") : part;
}
