/**
 * Paths of JSON commands as Dragonfly's own engine reads them (jsonpath_grammar.y and jsonpath_lexer.lex, the default): members, indices,
 * ranges, wildcards and descents; no unions, filters or steps. A master reads the path before it runs a command, so one that is not read
 * here was read by another engine (`--jsonpathv2=false`) and must not be guessed at. Pure.
 */
export type PathStep =
  | { readonly kind: "member"; readonly name: string }
  /** Both ends are in it. From the end where negative, resolved for each array. */
  | { readonly kind: "range"; readonly first: number; readonly last: number }
  /** `.*`, of objects and arrays. */
  | { readonly kind: "every" }
  | { readonly kind: "descent" };

export type JsonPath = {
  /** None for the root. */
  readonly steps: readonly PathStep[];
  /** Whether it is written as the whole document, so that SET and DEL take the key and not what is in it. */
  readonly isRoot: boolean;
  readonly hasBrackets: boolean;
};

const MAX_PATH_BYTES = 8192;
const LAST_INDEX = 0x7fffffff;
const TOKEN = /(?<space>[ \t\n\v\f\r]+)|(?<mark>\.\.|[$.:[\]*'"])|(?<word>[\p{L}\p{Nd}\p{Pc}_-]+)/uy;
const INTEGER = /^-?[0-9]{1,9}$/;

export function parseJsonPath(path: string): JsonPath | undefined {
  if (path === "" || path === "." || path === "$") return { steps: [], isRoot: true, hasBrackets: false };
  const tokens = tokenize(withRoot(path));
  const steps = tokens === undefined ? undefined : new PathParser(tokens).parse();
  return steps === undefined ? undefined : { steps, isRoot: false, hasBrackets: path.includes("[") };
}

/** A path of the old dialect has no `$`. */
function withRoot(path: string): string {
  if (path.startsWith("$")) return path;
  return path.startsWith(".") || path.startsWith("[") ? `$${path}` : `$.${path}`;
}

/** Blanks mean nothing, not even between quotes. */
function tokenize(path: string): string[] | undefined {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return undefined;
  const tokens: string[] = [];
  for (let at = 0; at < path.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(path);
    if (found === null) return undefined;
    if (found.groups?.["space"] === undefined) tokens.push(found[0]);
  }
  return tokens;
}

class PathParser {
  readonly #tokens: readonly string[];
  readonly #steps: PathStep[] = [];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  parse(): PathStep[] | undefined {
    if (!this.#takes("$")) return undefined;
    while (this.#at < this.#tokens.length) if (!this.#location()) return undefined;
    return this.#steps;
  }

  #location(): boolean {
    if (this.#takes("[")) return this.#bracket();
    if (this.#takes("..")) this.#steps.push({ kind: "descent" });
    else if (!this.#takes(".")) return false;
    if (this.#takes("[")) return this.#bracket();
    if (this.#takes("*")) return this.#push({ kind: "every" });
    const name = this.#word();
    return name !== undefined && this.#push({ kind: "member", name });
  }

  #bracket(): boolean {
    const step = this.#bracketStep();
    return step !== undefined && this.#takes("]") && this.#push(step);
  }

  #bracketStep(): PathStep | undefined {
    for (const quote of ["'", '"']) if (this.#takes(quote)) return this.#quoted(quote);
    if (this.#takes("*")) return { kind: "range", first: 0, last: LAST_INDEX };
    const first = this.#integer();
    if (!this.#takes(":")) return first === undefined ? undefined : { kind: "range", first, last: first };
    const end = this.#integer();
    if (end === undefined && first === undefined) return undefined;
    return { kind: "range", first: first ?? 0, last: end === undefined ? LAST_INDEX : end - 1 };
  }

  /** Words with dots between them. */
  #quoted(quote: string): PathStep | undefined {
    const words: string[] = [];
    do {
      const word = this.#word();
      if (word === undefined) return undefined;
      words.push(word);
    } while (this.#takes("."));
    return this.#takes(quote) ? { kind: "member", name: words.join(".") } : undefined;
  }

  #word(): string | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || !/^[\p{L}\p{Nd}\p{Pc}_-]/u.test(token)) return undefined;
    this.#at++;
    return token;
  }

  #integer(): number | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || !INTEGER.test(token)) return undefined;
    this.#at++;
    return Number(token);
  }

  #takes(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #push(step: PathStep): true {
    this.#steps.push(step);
    return true;
  }
}
