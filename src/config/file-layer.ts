/**
 * Reads one YAML file against the schema. Walks the schema and the document side by side, so that every mistake has its line and
 * column, and so that depth and aliases of a hostile file cannot lead further than the schema does.
 */
import {
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from "yaml";
import { addValue } from "./check-value.ts";
import {
  type ConfigField,
  type ConfigNode,
  type ConfigSection,
  FIELDS_BY_PATH,
  ROOT_SECTION,
} from "./config-fields.ts";
import { emptyLayer, type Layer } from "./layer.ts";
import type { Origin } from "./mistake.ts";
import { isShowableKey, unknownKeyText } from "./unknown-key.ts";
import { yamlProblem } from "./yaml-problems.ts";

export function readFileLayer(file: string, text: string): Layer {
  const reader = new FileReader(file, text);
  return reader.read();
}

class FileReader {
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document;
  readonly #layer = emptyLayer();

  constructor(file: string, text: string) {
    this.#file = file;
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      stringKeys: false,
      logLevel: "silent",
    });
  }

  read(): Layer {
    const broken = [...this.#document.errors, ...this.#document.warnings];
    for (const { code, pos } of broken) this.#mistake(this.#originAt(pos[0]), "", yamlProblem(code));
    // After a syntax error the rest of the document is a guess, so nothing more is said about it.
    if (broken.length === 0) this.#readRoot(this.#document.contents);
    return this.#layer;
  }

  #readRoot(contents: Node | null): void {
    const root = this.#resolve(contents);
    if (root === undefined || (isScalar(root) && root.value === null)) return;
    const origin = this.#origin(root);
    if (isMap(root)) this.#readMap(ROOT_SECTION, root.items, "");
    else this.#mistake(origin, "", "the file is not a mapping; allowed: lines like `source: host:port`");
  }

  #readMap(section: ConfigSection, pairs: readonly Pair[], prefix: string): void {
    for (const pair of pairs) {
      const keyNode = pair.key as Node | null;
      const origin = this.#origin(keyNode ?? undefined);
      const key = isScalar(keyNode) ? String(keyNode.value) : "";
      const node = section.children.get(key);
      if (node === undefined) this.#unknownKey(section, prefix, key, pair, origin);
      else this.#readNode(node, this.#resolve(pair.value as Node | null), origin);
    }
  }

  #unknownKey(section: ConfigSection, prefix: string, key: string, pair: Pair, origin: Origin): void {
    // `{ word }`, `{ word:, … }` and `? word` are keys without a value: more likely a misplaced value, perhaps a password.
    const hasValue = pair.value !== null && !(isScalar(pair.value) && pair.value.value === null);
    const showKey = isShowableKey(key) && hasValue;
    const path = showKey ? prefix + key : prefix.slice(0, -1);
    this.#mistake(origin, path, unknownKeyText(section, showKey ? path : "", { showKey }));
  }

  #readNode(node: ConfigNode, value: Node | undefined, keyOrigin: Origin): void {
    const path = "field" in node ? node.field.path : node.section.path;
    const origin = value === undefined ? keyOrigin : this.#origin(value);
    if (value === undefined || (isScalar(value) && value.value === null)) return;
    if (isMap(value)) {
      if ("section" in node) this.#readMap(node.section, value.items, `${path}.`);
      else if (node.field.kind === "databases") this.#readDatabases(node.field, value, origin);
      else this.#mistake(origin, path, `is a mapping; allowed: ${node.field.allowed}`);
    } else if (isScalar(value)) {
      this.#readScalar(node, value, origin);
    } else {
      this.#mistake(origin, path, `is a list; allowed: ${"field" in node ? node.field.allowed : "a mapping"}`);
    }
  }

  /** `{1: 0, 2: "0:two:"}` as `1=0,2=0:two:`. */
  #readDatabases(field: ConfigField, map: YAMLMap, origin: Origin): void {
    const plain = (node: unknown): string => (isScalar(node) ? String(node.value) : "");
    const text = map.items.map((pair) => `${plain(pair.key)}=${plain(pair.value)}`).join(",");
    addValue(this.#layer, field, text, origin);
  }

  #readScalar(node: ConfigNode, scalar: Scalar, origin: Origin): void {
    const field = "field" in node ? node.field : shorthandField(node.section);
    const value = scalar.value;
    if (field === undefined) {
      const names = "section" in node ? [...node.section.children.keys()].join(", ") : "";
      this.#mistake(origin, nodePath(node), `is a plain value; allowed: a mapping with the keys ${names}`);
    } else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      addValue(this.#layer, field, value, origin);
    } else {
      this.#mistake(origin, nodePath(node), `is not a plain value; allowed: ${field.allowed}`);
    }
  }

  #resolve(node: Node | null): Node | undefined {
    if (node === null) return undefined;
    if (!isAlias(node)) return node;
    const target = node.resolve(this.#document);
    if (target === undefined) this.#mistake(this.#origin(node), "", yamlProblem("BAD_ALIAS"));
    return target;
  }

  #origin(node: Node | undefined): Origin {
    return this.#originAt(node?.range?.[0] ?? 0);
  }

  #originAt(offset: number): Origin {
    const { line, col } = this.#lines.linePos(offset);
    return { kind: "file", file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  #mistake(origin: Origin, path: string, text: string): void {
    this.#layer.mistakes.push({ origin, path, text });
  }
}

function nodePath(node: ConfigNode): string {
  return "field" in node ? node.field.path : node.section.path;
}

function shorthandField(section: ConfigSection) {
  return section.shorthand === undefined ? undefined : FIELDS_BY_PATH.get(`${section.path}.${section.shorthand}`);
}
