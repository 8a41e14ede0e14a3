/**
 * The words for YAML's own errors. The parser's messages quote the text around a mistake, which may be a password, so only its closed
 * set of codes is used.
 */
const PROBLEMS: Readonly<Record<string, string>> = {
  ALIAS_PROPS: "an alias (*name) cannot have an anchor or a tag",
  BAD_ALIAS: "an alias (*name) has no anchor (&name) before it; put a text that starts with * in quotes",
  BAD_COLLECTION_TYPE: "a tag does not fit its value",
  BAD_DIRECTIVE: "a line that starts with % is not a known directive",
  BAD_DQ_ESCAPE: 'a \\ in "…" is not a known escape; write \\\\ or use single quotes',
  BAD_INDENT: "the indentation does not fit the lines around it",
  BAD_PROP_ORDER: "anchor and tag must stand before the value",
  BAD_SCALAR_START: "a plain text cannot start with this character; put it in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a key is followed by a nested value on the same line; use a new line or quotes",
  BLOCK_IN_FLOW: "a block value cannot stand inside { } or [ ]",
  DUPLICATE_KEY: "this key is given twice in the same mapping",
  IMPOSSIBLE: "this cannot be read",
  KEY_OVER_1024_CHARS: "a key is longer than 1024 characters; a colon may be missing",
  MISSING_CHAR: "a character is missing: a closing quote, bracket or comma, or a colon or a space after it",
  MULTILINE_IMPLICIT_KEY: "a key runs over several lines; a colon (with a space after it) may be missing",
  MULTIPLE_ANCHORS: "a value has two anchors",
  MULTIPLE_DOCS: "the file holds more than one document (---); allowed: one",
  MULTIPLE_TAGS: "a value has two tags",
  NON_STRING_KEY: "a key is not a text",
  RESOURCE_EXHAUSTION: "aliases or nesting grow too large",
  TAB_AS_INDENT: "a tab is used as indentation; use spaces",
  TAG_RESOLVE_FAILED: "a tag (!name) is not known; put a text that starts with ! in quotes",
  UNEXPECTED_TOKEN: "something unexpected stands here; a quote, a line break or a comma may be missing",
};

export function yamlProblem(code: string): string {
  return `not valid YAML: ${PROBLEMS[code] ?? "this cannot be read"}`;
}
