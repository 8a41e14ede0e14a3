/** What a JSON command makes of a document: the few forms that are said in many places. Pure. */
import type { EditOutcome } from "./edit-matches.ts";
import type { JsonCell } from "./json-tree.ts";
import type { JsonProblem } from "./parse-json.ts";
import { printJson } from "./print-json.ts";

/** What becomes of a document that a target keeps as a string. `why` has no values in it. */
export type DocumentChange =
  | { readonly kind: "set"; readonly text: string }
  | { readonly kind: "delete" }
  | { readonly kind: "unchanged" }
  | { readonly kind: "unrunnable"; readonly why: string };

export const UNCHANGED: DocumentChange = { kind: "unchanged" };

export function unrunnable(why: string): DocumentChange {
  return { kind: "unrunnable", why };
}

/** A master refuses text that is no JSON; of what versions take differently, nothing is known. */
export function changeOfBadValue(problem: JsonProblem): DocumentChange {
  return problem === "invalid" ? UNCHANGED : unrunnable(`its value cannot be taken: ${PROBLEMS[problem]}`);
}

/** Masters journal changes of documents only, so a target that holds something else has been written to by others. */
export function changeOfBadDocument(problem: JsonProblem): DocumentChange {
  return unrunnable(`what the target holds is no document: ${PROBLEMS[problem]}`);
}

const PROBLEMS: Readonly<Record<JsonProblem, string>> = {
  invalid: "it is not valid JSON",
  deep: "it is nested too deeply",
  surrogate: "it has half a surrogate pair",
};

export function changeOf(outcome: EditOutcome, root: JsonCell): DocumentChange {
  switch (outcome) {
    case "changed":
      return { kind: "set", text: printJson(root.content) };
    case "unmatched":
    case "untouched":
      return UNCHANGED;
    case "entangled":
      return unrunnable("its path leads to places within one another, and the master's result is undefined");
    case "exhausted":
      return unrunnable("its path leads to too many places");
  }
}
