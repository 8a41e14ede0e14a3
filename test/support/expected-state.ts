/**
 * Compares what a Redis server holds with a recording's expected state: every database, key, value, order, score (as doubles, to the bit), stream
 * group and deadline (to the ms). See test/fixtures/recordings/README.md for what expected.ndjson means.
 */
import { isDeepStrictEqual } from "node:util";
import type { Recording } from "../../src/simulator/recording.ts";
import { abridge, compareValues, type Leftovers, show, typeName } from "./compare-values.ts";
import { expectedDocument, expectedKey } from "./expected-value.ts";
import { type PassedDeadlines, passedDeadlines } from "./member-deadlines.ts";
import { expectedLines, recordedCommands } from "./recordings.ts";
import { RespClient, type RespClientOptions } from "./resp-client.ts";
import { type KeyState, keyName, readServerState, sameDeadline } from "./server-state.ts";
import { shiftedDeadline } from "./shift-deadlines.ts";

/** Types that a Redis without modules cannot hold, as Dragonfly's TYPE names them. */
export const UNHOLDABLE_TYPES: ReadonlySet<string> = new Set([
  "ReJSON-RL",
  "MBbloom--",
  "MBbloomCF",
  "CMSk-TYPE",
  "TopK-TYPE",
]);

export type Difference = {
  readonly kind: "missing" | "extra" | "type" | "value" | "deadline" | "unholdable";
  readonly db: number;
  /** Bytes that are no printable ASCII as \xNN. */
  readonly key: string;
  /** What in the key differs, e.g. `field a`. */
  readonly where: string;
  readonly expected: string;
  readonly actual: string;
};

export type Comparison = {
  readonly differences: readonly Difference[];
  /** Keys that were found equal, by type. */
  readonly equal: Readonly<Record<string, number>>;
  /** Keys that the target cannot hold and rightly does not, by type. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Keys whose deadline has passed since the recording, and that are rightly gone. */
  readonly expired: number;
  /** Keys with members that the master lost by their own deadlines, which the journal does not tell. */
  readonly withLeftovers: number;
};

export type CompareOptions = RespClientOptions & {
  readonly recording: Recording;
  /** When the recording was played with its deadlines moved (`shiftDeadlines`): by how much. */
  readonly deadlineShiftMs?: number;
  /** What became of JSON documents: strings with their text (`unsupported.json: convert`), or nothing. Either of them when not given. */
  readonly documents?: "text" | "dropped" | undefined;
};

export async function compareWithExpected(options: CompareOptions): Promise<Comparison> {
  await using client = await RespClient.connect(options);
  const before = Date.now();
  const actual = await readServerState(client);
  const passed = passedDeadlines(recordedCommands(options.recording));
  const expected = expectedLines(options.recording).map((line) => {
    const key = expectedKey(line);
    const expireAt = shiftedDeadline(key.expireAt, options.deadlineShiftMs ?? 0);
    return { ...key, expireAt, document: expectedDocument(line) };
  });
  const late = options.deadlineShiftMs === undefined;
  const { documents } = options;
  return new Comparer({ actual, passed, late, documents, before, after: Date.now() }).compare(expected);
}

type ExpectedKey = KeyState & { readonly document: string | undefined };

class Comparer {
  readonly #actual: Map<string, KeyState>;
  readonly #passed: PassedDeadlines;
  /** Whether deadlines that were met in the recording are replayed too late. */
  readonly #late: boolean;
  readonly #documents: CompareOptions["documents"];
  readonly #before: number;
  readonly #after: number;
  readonly #differences: Difference[] = [];
  readonly #equal: Record<string, number> = {};
  readonly #skipped: Record<string, number> = {};
  #expired = 0;
  #withLeftovers = 0;

  constructor(options: {
    readonly actual: Map<string, KeyState>;
    readonly passed: PassedDeadlines;
    readonly late: boolean;
    readonly documents: CompareOptions["documents"];
    readonly before: number;
    readonly after: number;
  }) {
    this.#actual = options.actual;
    this.#passed = options.passed;
    this.#late = options.late;
    this.#documents = options.documents;
    this.#before = options.before;
    this.#after = options.after;
  }

  compare(expected: readonly ExpectedKey[]): Comparison {
    for (const key of expected) {
      const id = keyName(key.db, key.key);
      this.#compareKey(key, this.#actual.get(id), id);
      this.#actual.delete(id);
    }
    for (const [id, extra] of this.#actual) this.#compareExtra(extra, id);
    return {
      differences: this.#differences,
      equal: this.#equal,
      skipped: this.#skipped,
      expired: this.#expired,
      withLeftovers: this.#withLeftovers,
    };
  }

  #compareKey(key: ExpectedKey, actual: KeyState | undefined, id: string): void {
    const expected = this.#asHeld(key, actual);
    const type = typeName(expected.value);
    if (expected.value.type === "other") return this.#compareUnholdable(expected, actual, type);
    if (actual === undefined) return this.#compareMissing(expected, id);
    if (expected.expireAt !== null && expected.expireAt < this.#before) {
      return this.#differ(expected, {
        kind: "extra",
        where: "key",
        expected: "gone, its deadline has passed",
        actual: describe(actual),
      });
    }
    const leftovers = this.#passed.leftovers.get(id) ?? NO_LEFTOVERS;
    const difference = compareValues(expected.value, actual.value, leftovers);
    if (difference !== undefined)
      return this.#differ(expected, { kind: difference.where === "type" ? "type" : "value", ...difference });
    if (!sameDeadline(expected, actual)) {
      const [expectedText, actualText] = [deadline(expected.expireAt), deadline(actual.expireAt)];
      return this.#differ(expected, {
        kind: "deadline",
        where: "deadline",
        expected: expectedText,
        actual: actualText,
      });
    }
    this.#equal[type] = (this.#equal[type] ?? 0) + 1;
    if (size(actual) > size(expected)) this.#withLeftovers++;
  }

  /** A document that is a string here: with the string's own text when it says the same. */
  #asHeld(expected: ExpectedKey, actual: KeyState | undefined): KeyState {
    const { document } = expected;
    if (document === undefined || this.#documents === "dropped") return expected;
    if (actual === undefined && this.#documents === undefined) return expected;
    const says = actual?.value.type === "string" && saysTheSame(actual.value.text, document);
    const text = says && actual.value.type === "string" ? actual.value.text : Buffer.from(document).toString("latin1");
    return { ...expected, value: { type: "string", text } };
  }

  #compareUnholdable(expected: KeyState, actual: KeyState | undefined, type: string): void {
    if (!UNHOLDABLE_TYPES.has(type))
      this.#differ(expected, {
        kind: "unholdable",
        where: "type",
        expected: "a type known to the comparison",
        actual: type,
      });
    else if (actual !== undefined)
      this.#differ(expected, { kind: "unholdable", where: "key", expected: "nothing", actual: describe(actual) });
    else this.#skipped[type] = (this.#skipped[type] ?? 0) + 1;
  }

  #compareMissing(expected: KeyState, id: string): void {
    const due = expected.expireAt !== null && expected.expireAt <= this.#after;
    if (due || (this.#late && this.#passed.persisted.has(id))) this.#expired++;
    else this.#differ(expected, { kind: "missing", where: "key", expected: describe(expected), actual: "nothing" });
  }

  /** A key that the master no longer has may be here only when it consists of what the master lost without a word. */
  #compareExtra(extra: KeyState, id: string): void {
    const leftovers = this.#passed.leftovers.get(id) ?? NO_LEFTOVERS;
    const { value } = extra;
    const empty = value.type === "hash" ? EMPTY_HASH : value.type === "set" ? EMPTY_SET : undefined;
    if (empty !== undefined && extra.expireAt === null && compareValues(empty, value, leftovers) === undefined)
      this.#withLeftovers++;
    else this.#differ(extra, { kind: "extra", where: "key", expected: "nothing", actual: describe(extra) });
  }

  #differ(key: KeyState, difference: Omit<Difference, "db" | "key">): void {
    this.#differences.push({ db: key.db, key: show(key.key), ...difference });
  }
}

/** @param text one character a byte */
function saysTheSame(text: string, document: string): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(Buffer.from(text, "latin1").toString()), JSON.parse(document));
  } catch {
    return false;
  }
}

const NO_LEFTOVERS: Leftovers = new Map();
const EMPTY_HASH = { type: "hash", fields: new Map<string, string>() } as const;
const EMPTY_SET = { type: "set", members: new Set<string>() } as const;

function size({ value }: KeyState): number {
  if (value.type === "hash") return value.fields.size;
  return value.type === "set" ? value.members.size : 0;
}

function describe(key: KeyState): string {
  const { value } = key;
  if (value.type === "string") return `string ${abridge(show(value.text))}`;
  return typeName(value);
}

function deadline(expireAt: number | null): string {
  return expireAt === null ? "none" : `${expireAt} (${new Date(expireAt).toISOString()})`;
}

/** One line a difference, for messages. */
export function formatDifference({ kind, db, key, where, expected, actual }: Difference): string {
  return `${kind}: db ${db} key ${key}: ${where}: expected ${expected}, found ${actual}`;
}
