/**
 * Whether two JSON texts are the same document: keys of objects in any order, strings by what they say, whole numbers by all their digits, and
 * others as doubles (1.50 is 1.5, 1.0 is 1). Shares no code with the product, which it checks.
 */
import { isDeepStrictEqual } from "node:util";

/** False when one of them is no JSON. */
export function isSameDocument(a: string, b: string): boolean {
  const [first, second] = [parse(a), parse(b)];
  return first !== undefined && second !== undefined && isDeepStrictEqual(first.document, second.document);
}

/** What the reviver is told beside name and value; the compiler's library does not have it yet. */
type ReviveContext = { readonly source?: string };
type Revive = (name: string, value: unknown, context?: ReviveContext) => unknown;

function parse(text: string): { readonly document: unknown } | undefined {
  try {
    const revive: Revive = (_name, value, context) =>
      typeof value === "number" ? exactNumber(value, context?.source) : value;
    return { document: JSON.parse(text, revive) };
  } catch {
    return undefined;
  }
}

/** A whole number that a double does not hold keeps its digits. Numbers become objects, so that no string is equal to one. */
function exactNumber(value: number, source = ""): { readonly number: number | bigint } {
  const isWhole = /^-?\d+$/.test(source) && !Number.isSafeInteger(value);
  return { number: isWhole ? BigInt(source) : value === 0 ? 0 : value };
}
