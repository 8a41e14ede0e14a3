/** Prints a tree as Dragonfly prints documents: no blanks, members sorted by the bytes of their names, numbers by their text. Pure. */
import { type JsonCell, type JsonContent, type JsonMembers, JsonNumber } from "./json-tree.ts";

export function printJson(content: JsonContent): string {
  if (content instanceof JsonNumber) return content.text;
  if (Array.isArray(content)) return `[${content.map((cell) => printJson(cell.content)).join(",")}]`;
  if (content instanceof Map) return `{${sortedMembers(content).map(printMember).join(",")}}`;
  return JSON.stringify(content);
}

function printMember([name, cell]: [string, JsonCell]): string {
  return `${JSON.stringify(name)}:${printJson(cell.content)}`;
}

function sortedMembers(members: JsonMembers): [string, JsonCell][] {
  const entries = [...members];
  const isSorted = entries.every(([name], i) => i === 0 || compareNames(entries[i - 1]?.[0] ?? "", name) < 0);
  return isSorted ? entries : entries.toSorted(([a], [b]) => compareNames(a, b));
}

/** The order of the names' UTF-8, which differs from that of JavaScript's strings where one has a surrogate pair. */
function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
