/**
 * Reads JSON text as Dragonfly's parser (jsoncons) does: of members with the same name the first stays, and what follows the text of a value is not
 * looked at if the caller says so. Strict otherwise. Recursion is bounded by `MAX_JSON_DEPTH`; it never throws. Pure.
 */
import { type JsonCell, type JsonContent, type JsonMembers, JsonNumber, MAX_JSON_DEPTH } from "./json-tree.ts";

/** invalid: no JSON. deep: nested too deeply. surrogate: a string that is no Unicode text, which each version takes differently. */
export type JsonProblem = "invalid" | "deep" | "surrogate";
export type ParsedJson =
  | { readonly content: JsonContent; readonly problem?: undefined }
  | { readonly problem: JsonProblem };

export type ParseJsonOptions = { readonly ignoreRest?: boolean };

export function parseJson(text: string, options: ParseJsonOptions = {}): ParsedJson {
  const parser = new JsonParser(text);
  const content = parser.value(0);
  if (content === undefined) return { problem: parser.problem };
  return options.ignoreRest === true || parser.atEnd() ? { content } : { problem: "invalid" };
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;
const NUMBER_GOES_ON = /[0-9.eE]/y;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const [BLANK, TAB, LINE_FEED, RETURN] = [0x20, 0x09, 0x0a, 0x0d];

class JsonParser {
  problem: JsonProblem = "invalid";
  readonly #text: string;
  #pos = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    this.#skipSpace();
    return this.#pos === this.#text.length;
  }

  value(depth: number): JsonContent | undefined {
    this.#skipSpace();
    switch (this.#text[this.#pos]) {
      case "{":
        return this.#object(depth + 1);
      case "[":
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      case "t":
      case "f":
      case "n":
        return this.#literal();
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonMembers | undefined {
    if (!this.#open(depth)) return undefined;
    const members: JsonMembers = new Map();
    if (this.#takes("}")) return members;
    do {
      this.#skipSpace();
      const name = this.#text[this.#pos] === '"' ? this.#string() : undefined;
      if (name === undefined || !this.#takes(":")) return undefined;
      const content = this.value(depth);
      if (content === undefined) return undefined;
      if (!members.has(name)) members.set(name, { content });
    } while (this.#takes(","));
    return this.#takes("}") ? members : undefined;
  }

  #array(depth: number): JsonCell[] | undefined {
    if (!this.#open(depth)) return undefined;
    const elements: JsonCell[] = [];
    if (this.#takes("]")) return elements;
    do {
      const content = this.value(depth);
      if (content === undefined) return undefined;
      elements.push({ content });
    } while (this.#takes(","));
    return this.#takes("]") ? elements : undefined;
  }

  #open(depth: number): boolean {
    this.#pos++;
    if (depth <= MAX_JSON_DEPTH) return true;
    this.problem = "deep";
    return false;
  }

  #string(): string | undefined {
    const start = this.#pos;
    const end = this.#endOfString(start + 1);
    if (end === -1) return undefined;
    this.#pos = end + 1;
    const value = unescaped(this.#text, start, end);
    if (value?.isWellFormed() !== false) return value;
    this.problem = "surrogate";
    return undefined;
  }

  /** Position of the closing quote, -1 if there is none or a control character stands before it. */
  #endOfString(from: number): number {
    for (let i = from; i < this.#text.length; i++) {
      const unit = this.#text.charCodeAt(i);
      if (unit === QUOTE) return i;
      if (unit < FIRST_PRINTABLE) return -1;
      if (unit === BACKSLASH) i++;
    }
    return -1;
  }

  #literal(): boolean | null | undefined {
    const found = this.#match(LITERAL);
    return found === undefined ? undefined : (JSON.parse(found) as boolean | null);
  }

  #number(): JsonNumber | undefined {
    const found = this.#match(NUMBER);
    return found === undefined || this.#match(NUMBER_GOES_ON) !== undefined ? undefined : new JsonNumber(found);
  }

  #takes(mark: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#pos] !== mark) return false;
    this.#pos++;
    return true;
  }

  #skipSpace(): void {
    for (; this.#pos < this.#text.length; this.#pos++) {
      const unit = this.#text.charCodeAt(this.#pos);
      if (unit !== BLANK && unit !== TAB && unit !== LINE_FEED && unit !== RETURN) return;
    }
  }

  #match(pattern: RegExp): string | undefined {
    const start = this.#pos;
    pattern.lastIndex = start;
    if (!pattern.test(this.#text)) return undefined;
    this.#pos = pattern.lastIndex;
    return this.#text.slice(start, this.#pos);
  }
}

function unescaped(text: string, start: number, end: number): string | undefined {
  const raw = text.slice(start + 1, end);
  if (!raw.includes("\\")) return raw;
  try {
    return JSON.parse(text.slice(start, end + 1)) as string;
  } catch {
    return undefined;
  }
}
