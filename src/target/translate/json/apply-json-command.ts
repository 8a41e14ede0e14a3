/**
 * Applies one journaled JSON.* command to the text of a document, as Dragonfly 1.27 to 1.40 does (json_family.cc). For targets that keep documents as
 * strings. A master reads paths and arguments before it runs a command and journals only what it ran, so what is not read here is told and
 * never guessed; what it refused when it ran changes nothing. JSON.MSET comes here as one JSON.SET for each of its keys. Never throws. Pure.
 */
import { appendToArray, insertIntoArray, popFromArray, trimArray } from "./array-edits.ts";
import { deleteMatches } from "./delete-matches.ts";
import { changeOf, changeOfBadDocument, type DocumentChange, UNCHANGED, unrunnable } from "./document-change.ts";
import { editMatches } from "./edit-matches.ts";
import { type JsonDialect, LATEST_JSON_DIALECT } from "./json-dialect.ts";
import { appendToString, arithmetic, clear, type MakeEdit, merge, NOT_WELL_FORMED, toggle } from "./json-edits.ts";
import { type JsonPath, parseJsonPath } from "./json-path.ts";
import type { JsonCell } from "./json-tree.ts";
import { parseValue } from "./json-words.ts";
import { parseJson } from "./parse-json.ts";
import { type SetCondition, setRoot, setWithin } from "./set-json.ts";
import { WorkBudget } from "./work-budget.ts";

/** `path` is the third word of the entry, `words` what follows it. */
type Call = {
  readonly path: JsonPath;
  readonly words: readonly string[];
  readonly text: string | undefined;
  readonly dialect: JsonDialect;
};
type JsonCommand = (call: Call) => DocumentChange;

const COMMANDS: ReadonlyMap<string, JsonCommand> = new Map([
  ["JSON.SET", set],
  ["JSON.DEL", del],
  ["JSON.FORGET", del],
  ["JSON.ARRAPPEND", edits(appendToArray)],
  ["JSON.ARRINSERT", edits(insertIntoArray)],
  ["JSON.ARRPOP", edits(popFromArray)],
  ["JSON.ARRTRIM", edits(trimArray)],
  ["JSON.CLEAR", edits(clear)],
  ["JSON.MERGE", mergeOrSet],
  ["JSON.NUMINCRBY", edits(arithmetic("add"))],
  ["JSON.NUMMULTBY", edits(arithmetic("multiply"))],
  ["JSON.STRAPPEND", edits(appendToString)],
  ["JSON.TOGGLE", edits(toggle)],
]);

/** `words` are all words of the entry, its name first; `text` undefined means that there is no such key. */
export function applyJsonCommand(
  words: readonly string[],
  text: string | undefined,
  dialect: JsonDialect = LATEST_JSON_DIALECT,
): DocumentChange {
  const name = words[0]?.toUpperCase() ?? "";
  const command = COMMANDS.get(name);
  if (command === undefined) return unrunnable("this version does not know the command");
  if (words.length < 2) return NOT_WELL_FORMED;
  const [pathWord, rest] = splitPath(name, words.slice(2));
  const path = parseJsonPath(pathWord);
  if (path === undefined) return unrunnable("its path is not of a form that a master reads by default");
  return command({ path, words: rest, text, dialect });
}

/** Since 1.40 JSON.STRAPPEND may come without a path. */
function splitPath(name: string, words: readonly string[]): [path: string, rest: readonly string[]] {
  if (name === "JSON.STRAPPEND" && words.length === 1) return ["", words];
  return [words[0] ?? "", words.slice(1)];
}

function set({ path, words, text, dialect }: Call): DocumentChange {
  const [word, conditionWord, ...others] = words;
  const condition = parseCondition(conditionWord);
  if (word === undefined || condition === null || others.length > 0) return NOT_WELL_FORMED;
  const value = parseValue(word);
  if ("change" in value) return value.change;
  const { content } = value;
  if (path.isRoot) return setRoot(content, condition, text !== undefined);
  return withDocument(text, (root) => setWithin({ root, path, content, condition, dialect }));
}

/** null: another word. */
function parseCondition(word: string | undefined): SetCondition | null {
  const condition = word?.toUpperCase();
  return condition === undefined || condition === "NX" || condition === "XX" ? condition : null;
}

function del({ path, text }: Call): DocumentChange {
  if (path.isRoot) return text === undefined ? UNCHANGED : { kind: "delete" };
  return withDocument(text, (root) => {
    const outcome = deleteMatches({ root, steps: path.steps, budget: new WorkBudget() });
    return changeOf(outcome, root);
  });
}

/** A merge at the root makes the document if there is none. */
function mergeOrSet(call: Call): DocumentChange {
  return call.text === undefined && call.path.isRoot
    ? set({ ...call, words: call.words.slice(0, 1) })
    : edits(merge)(call);
}

function edits(makeEdit: MakeEdit): JsonCommand {
  return ({ path, words, text, dialect }) => {
    const edit = makeEdit(words, dialect);
    if ("kind" in edit) return edit;
    return withDocument(text, (root) => {
      const outcome = editMatches({ root, steps: path.steps, budget: new WorkBudget() }, edit);
      const undecided = outcome === "entangled" || outcome === "exhausted";
      return (undecided ? undefined : edit.refusal?.()) ?? changeOf(outcome, root);
    });
  };
}

function withDocument(text: string | undefined, change: (root: JsonCell) => DocumentChange): DocumentChange {
  if (text === undefined) return UNCHANGED;
  const document = parseJson(text);
  if (document.problem !== undefined) return changeOfBadDocument(document.problem);
  return change({ content: document.content });
}
