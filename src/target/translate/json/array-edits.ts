/** The edits of the JSON.ARR* commands. Pure. */
import { type DocumentChange, UNCHANGED } from "./document-change.ts";
import { type MakeEdit, NOT_WELL_FORMED } from "./json-edits.ts";
import { copyContent, countCells, type JsonCell, type JsonContent } from "./json-tree.ts";
import { parseIndex, parseValues } from "./json-words.ts";

export const appendToArray: MakeEdit = (words) => {
  const values = parseValues(words);
  if (words.length === 0) return NOT_WELL_FORMED;
  if ("change" in values) return values.change;
  return {
    copies: sizeOf(values.contents),
    apply: ({ content }) => {
      if (!Array.isArray(content)) return false;
      for (const copy of copiesOf(values.contents)) content.push(copy);
      return true;
    },
  };
};

/** Refused as a whole if one of the arrays is too short. */
export const insertIntoArray: MakeEdit = ([word = "", ...words]) => {
  const index = parseIndex(word);
  const values = parseValues(words);
  if (index === undefined || words.length === 0) return NOT_WELL_FORMED;
  if ("change" in values) return values.change;
  let refusal: DocumentChange | undefined;
  return {
    copies: sizeOf(values.contents),
    refusal: () => refusal,
    apply: (cell) => {
      const { content } = cell;
      if (refusal !== undefined || !Array.isArray(content)) return false;
      const at = index < 0 ? content.length + index : index;
      if (at < 0 || at > content.length) refusal = UNCHANGED;
      else cell.content = [...content.slice(0, at), ...copiesOf(values.contents), ...content.slice(at)];
      return refusal === undefined;
    },
  };
};

/** The last one if no index is given; the nearest one if there is none at it. */
export const popFromArray: MakeEdit = ([word]) => {
  const index = word === undefined ? -1 : parseIndex(word);
  if (index === undefined) return NOT_WELL_FORMED;
  return {
    copies: 0,
    apply: ({ content }) => {
      if (!Array.isArray(content) || content.length === 0) return false;
      content.splice(Math.min(fromEnd(index, content.length), content.length - 1), 1);
      return true;
    },
  };
};

/** Keeps what lies between two indices, both included. */
export const trimArray: MakeEdit = ([firstWord = "", lastWord = ""]) => {
  const [first, last] = [parseIndex(firstWord), parseIndex(lastWord)];
  if (first === undefined || last === undefined) return NOT_WELL_FORMED;
  return {
    copies: 0,
    apply: (cell) => {
      const { content } = cell;
      if (!Array.isArray(content) || content.length === 0) return false;
      cell.content = content.slice(fromEnd(first, content.length), fromEnd(last, content.length) + 1);
      return true;
    },
  };
};

/** An index before the array is that of its first element. */
function fromEnd(index: number, length: number): number {
  return index < 0 ? Math.max(0, length + index) : index;
}

function copiesOf(contents: readonly JsonContent[]): JsonCell[] {
  return contents.map((content) => ({ content: copyContent(content) }));
}

function sizeOf(contents: readonly JsonContent[]): number {
  return contents.reduce((size: number, content) => size + countCells(content), 0);
}
