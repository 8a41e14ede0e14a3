/** Random values of a wanted mix of types and sizes, from a seed. The text is about as compressible as JSON. Pure. */
import type { HashField, SetMember, Value, ZsetMember } from "../live/values.ts";
import type { SeededRandom } from "./seeded-random.ts";

const GENERATED_TYPES = ["string", "hash", "zset", "list", "set"] as const;
export type GeneratedType = (typeof GENERATED_TYPES)[number];

export type ValueMix = {
  /** How often each type comes, relative to the others. Default: strings only. */
  readonly types?: { readonly [type in GeneratedType]?: number };
  /** Bytes of a string, and of all elements of another value together, about. Default 100 to 100. */
  readonly minValueBytes?: number;
  readonly maxValueBytes?: number;
};

const DEFAULT_VALUE_BYTES = 100;
const ELEMENT_BYTES = 16;
/** What the texts are made of. */
export const WORDS = [
  "active",
  "basket",
  "city",
  "country",
  "delivery",
  "email",
  "invoice",
  "item",
  "language",
  "name",
  "order",
  "price",
  "status",
  "street",
  "user",
];

export class GeneratedValues {
  readonly #random: SeededRandom;
  readonly #types: readonly GeneratedType[];
  readonly #minBytes: number;
  readonly #maxBytes: number;

  constructor(mix: ValueMix, random: SeededRandom) {
    this.#random = random;
    const types = mix.types ?? { string: 1 };
    this.#types = GENERATED_TYPES.flatMap((type) => Array.from({ length: types[type] ?? 0 }, () => type));
    this.#minBytes = mix.minValueBytes ?? DEFAULT_VALUE_BYTES;
    this.#maxBytes = Math.max(this.#minBytes, mix.maxValueBytes ?? this.#minBytes);
  }

  next(): Value {
    const bytes = this.#minBytes + this.#random.below(this.#maxBytes - this.#minBytes + 1);
    const type = this.#types[this.#random.below(Math.max(1, this.#types.length))] ?? "string";
    if (type === "string") return { type, bytes: this.#text(bytes) };
    const elements = Array.from({ length: Math.max(1, Math.round(bytes / ELEMENT_BYTES)) }, (_, i) => ({
      name: Buffer.from(`e${i}`),
      text: this.#text(ELEMENT_BYTES - 4),
    }));
    switch (type) {
      case "hash":
        return {
          type,
          fields: mapOf(elements, ({ name, text }): HashField => ({ field: name, content: text, expireAtMs: -1 })),
        };
      case "zset":
        return {
          type,
          members: mapOf(elements, ({ name }): ZsetMember => ({
            member: name,
            score: this.#random.below(1_000_000) / 4,
          })),
        };
      case "set":
        return { type, members: mapOf(elements, ({ name }): SetMember => ({ member: name, expireAtMs: -1 })) };
      case "list":
        return { type, items: elements.map(({ text }) => text) };
    }
  }

  #text(bytes: number): Buffer {
    const random = this.#random;
    let text = "";
    while (text.length < bytes)
      text += `"${WORDS[random.below(WORDS.length)] ?? ""}":"${random.below(2 ** 31).toString(36)}",`;
    return Buffer.from(text.slice(0, bytes), "latin1");
  }
}

function mapOf<T>(
  elements: readonly { readonly name: Buffer; readonly text: Buffer }[],
  create: (element: { readonly name: Buffer; readonly text: Buffer }) => T,
): Map<string, T> {
  return new Map(elements.map((element) => [element.name.toString("latin1"), create(element)]));
}
