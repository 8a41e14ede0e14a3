/**
 * A JSON document as a tree that can be changed in place. A cell is a place in the document: its content may be replaced while others hold the
 * cell. Numbers keep their text, so that what is not touched does not change (2^53 and above, `1.0`, `1e400`). Pure.
 */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type JsonMembers = Map<string, JsonCell>;
export type JsonContent = null | boolean | string | JsonNumber | JsonCell[] | JsonMembers;
export type JsonCell = { content: JsonContent };

/**
 * Nesting that is read. Dragonfly itself reads 64 levels (256 before 1.30); a document can become deeper by values that are set inside it.
 * Far below what a recursion over it needs to overflow the stack.
 */
export const MAX_JSON_DEPTH = 512;

export function isContainer(content: JsonContent): content is JsonCell[] | JsonMembers {
  return Array.isArray(content) || content instanceof Map;
}

/** In no order that means anything. */
export function childrenOf(content: JsonContent): Iterable<JsonCell> {
  return isContainer(content) ? content.values() : [];
}

export function copyContent(content: JsonContent): JsonContent {
  if (Array.isArray(content)) return content.map(copyCell);
  if (content instanceof Map) return new Map([...content].map(([key, cell]) => [key, copyCell(cell)]));
  return content;
}

export function copyCell(cell: JsonCell): JsonCell {
  return { content: copyContent(cell.content) };
}

export function countCells(content: JsonContent): number {
  let count = 1;
  for (const child of childrenOf(content)) count += countCells(child.content);
  return count;
}
