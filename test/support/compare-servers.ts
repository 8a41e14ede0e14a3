/**
 * Compares two servers completely: every database, key, value, order, score (as doubles, to the bit), stream entry, group, pending entry and
 * deadline (to the ms). Reads in pages, so that memory does not grow with the values. Nobody may write to either side meanwhile; keys may expire.
 *
 * A JSON document of the source is a string with its text on a target without a JSON module: the two are equal when they are the same document.
 * Only commands that Redis, Dragonfly and the simulator all know are used, and JSON.GET where there are documents.
 */
import { compareValues, type Leftovers, show, typeName, type ValueDifference } from "./compare-values.ts";
import { type Difference, formatDifference, UNHOLDABLE_TYPES } from "./expected-state.ts";
import { type RespClient, RespError } from "./resp-client.ts";
import { isSameDocument } from "./same-document.ts";
import { type Bytes, type KeyState, readKeys, sameDeadline, scanPages, usedDatabases } from "./server-state.ts";

export type ServersComparison = {
  /** The first ones; `differenceCount` says how many there are. */
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  /** Keys that are equal on both sides, by type; documents that are strings on the target under `DOCUMENTS_AS_TEXT`. */
  readonly equal: Readonly<Record<string, number>>;
  readonly equalCount: number;
  /** Keys that the target cannot hold and rightly does not, by type. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Keys that one side had dropped already, because their deadline came in between. */
  readonly expired: number;
};

export type CompareServersOptions = {
  readonly source: RespClient;
  readonly target: RespClient;
  /** What became of JSON documents: strings with their text (or documents), or nothing. Default text, as of a run. */
  readonly documents?: "text" | "dropped";
};

export const DOCUMENTS_AS_TEXT = "json, as text";
const DOCUMENT_TYPE = "ReJSON-RL";

/** `document`: its text, of a key that is one. */
type ReadKey = KeyState & { readonly document?: Bytes };

const NO_LEFTOVERS: Leftovers = new Map();
const KEPT_DIFFERENCES = 50;
const KEYS_AT_A_TIME = 500;

export async function compareServers(options: CompareServersOptions): Promise<ServersComparison> {
  return new ServersComparer(options).run();
}

/** Throws with the first differences in words; returns the comparison when there is none. */
export async function expectEqualServers(options: CompareServersOptions): Promise<ServersComparison> {
  const comparison = await compareServers(options);
  const { differences, differenceCount } = comparison;
  if (differenceCount === 0) return comparison;
  throw new Error(
    `the two sides differ in ${differenceCount} keys:\n  ${differences.map(formatDifference).join("\n  ")}`,
  );
}

class ServersComparer {
  readonly #source: RespClient;
  readonly #target: RespClient;
  readonly #documents: "text" | "dropped";
  readonly #differences: Difference[] = [];
  readonly #equal: Record<string, number> = {};
  readonly #skipped: Record<string, number> = {};
  #differenceCount = 0;
  #equalCount = 0;
  #expired = 0;

  constructor({ source, target, documents = "text" }: CompareServersOptions) {
    this.#source = source;
    this.#target = target;
    this.#documents = documents;
  }

  async run(): Promise<ServersComparison> {
    const used = await Promise.all([usedDatabases(this.#source), usedDatabases(this.#target)]);
    for (const db of [...new Set(used.flat())].toSorted((a, b) => a - b)) await this.#compareDatabase(db);
    for (const client of [this.#source, this.#target]) await client.call("SELECT", 0);
    return {
      differences: this.#differences,
      differenceCount: this.#differenceCount,
      equal: this.#equal,
      equalCount: this.#equalCount,
      skipped: this.#skipped,
      expired: this.#expired,
    };
  }

  async #compareDatabase(db: number): Promise<void> {
    const seen = new Set<string>();
    for (const client of [this.#source, this.#target]) {
      await client.call("SELECT", db);
    }
    for await (const page of scanPages(this.#source)) {
      for (const key of page) seen.add(key.toString("latin1"));
      await this.#compareKeys(db, page);
    }
    for await (const page of scanPages(this.#target))
      await this.#compareKeys(
        db,
        page.filter((key) => !seen.has(key.toString("latin1"))),
      );
  }

  async #compareKeys(db: number, keys: readonly Buffer[]): Promise<void> {
    for (let at = 0; at < keys.length; at += KEYS_AT_A_TIME) {
      const some = keys.slice(at, at + KEYS_AT_A_TIME);
      const [source, target] = await Promise.all([
        this.#read(this.#source, db, some),
        this.#read(this.#target, db, some),
      ]);
      const afterMs = Date.now();
      const targetByKey = new Map(target.map((state) => [state.key, state]));
      const sourceByKey = new Map(source.map((state) => [state.key, state]));
      for (const key of some) {
        const name = key.toString("latin1");
        this.#compareKey(sourceByKey.get(name), targetByKey.get(name), afterMs);
      }
    }
  }

  /** With the texts of documents, unless these are not looked at. */
  async #read(client: RespClient, db: number, keys: readonly Buffer[]): Promise<ReadKey[]> {
    const states = await readKeys(client, db, keys);
    if (this.#documents === "dropped") return states;
    const documents = states.filter(({ value }) => typeName(value) === DOCUMENT_TYPE);
    const replies = await client.pipeline(documents.map(({ key }) => ["JSON.GET", Buffer.from(key, "latin1")]));
    const texts = new Map(documents.map(({ key }, i) => [key, replies[i]]));
    return states.flatMap((state) => {
      const reply = texts.get(state.key);
      if (reply === undefined) return [state];
      if (reply instanceof RespError) throw reply;
      // null: it expired while it was read.
      return Buffer.isBuffer(reply) ? [{ ...state, document: reply.toString("latin1") }] : [];
    });
  }

  #compareKey(source: ReadKey | undefined, target: ReadKey | undefined, afterMs: number): void {
    // Gone on both sides since the scan.
    if (source === undefined && target === undefined) this.#expired += 1;
    else if (source === undefined)
      this.#compareLonely(target as KeyState, afterMs, { kind: "extra", expected: "nothing" });
    else if (source.value.type === "other" && source.document === undefined) this.#compareUnholdable(source, target);
    else if (target === undefined) this.#compareLonely(source, afterMs, { kind: "missing", actual: "nothing" });
    else this.#comparePair(source, target);
  }

  /** A key that only one side has: fine when its deadline passed while it was read. */
  #compareLonely(state: KeyState, afterMs: number, words: Pick<Difference, "kind"> & Partial<Difference>): void {
    if (state.expireAt !== null && state.expireAt <= afterMs) this.#expired += 1;
    else
      this.#differ(state, { where: "key", expected: typeName(state.value), actual: typeName(state.value), ...words });
  }

  #compareUnholdable(source: KeyState, target: KeyState | undefined): void {
    const type = typeName(source.value);
    if (!UNHOLDABLE_TYPES.has(type))
      this.#differ(source, {
        kind: "unholdable",
        where: "type",
        expected: "a type known to the comparison",
        actual: type,
      });
    else if (target !== undefined)
      this.#differ(source, { kind: "unholdable", where: "key", expected: "nothing", actual: typeName(target.value) });
    else this.#skipped[type] = (this.#skipped[type] ?? 0) + 1;
  }

  #comparePair(source: ReadKey, target: ReadKey): void {
    const type = equalType(source, target);
    const difference = compareReadValues(source, target);
    if (difference !== undefined)
      return this.#differ(source, { kind: difference.where === "type" ? "type" : "value", ...difference });
    if (!sameDeadline(source, target))
      return this.#differ(source, {
        kind: "deadline",
        where: "deadline",
        expected: deadline(source.expireAt),
        actual: deadline(target.expireAt),
      });
    this.#equal[type] = (this.#equal[type] ?? 0) + 1;
    this.#equalCount += 1;
  }

  #differ({ db, key }: KeyState, difference: Omit<Difference, "db" | "key">): void {
    this.#differenceCount += 1;
    if (this.#differences.length < KEPT_DIFFERENCES) this.#differences.push({ db, key: show(key), ...difference });
  }
}

/** Documents are compared by what they say, everything else by its value. */
function compareReadValues(source: ReadKey, target: ReadKey): ValueDifference | undefined {
  const [document, text] = [source.document, textOf(target)];
  if (document === undefined || text === undefined) return compareValues(source.value, target.value, NO_LEFTOVERS);
  if (isSameDocument(utf8(document), utf8(text))) return undefined;
  const differ = compareValues({ type: "string", text: document }, { type: "string", text }, NO_LEFTOVERS);
  return differ ?? { where: "document", expected: "JSON", actual: show(text) };
}

/** Of a document, or of a string that stands for one. */
function textOf({ document, value }: ReadKey): Bytes | undefined {
  return document ?? (value.type === "string" ? value.text : undefined);
}

function equalType(source: ReadKey, target: ReadKey): string {
  return source.document !== undefined && target.document === undefined ? DOCUMENTS_AS_TEXT : typeName(source.value);
}

function utf8(bytes: Bytes): string {
  return Buffer.from(bytes, "latin1").toString();
}

function deadline(expireAt: number | null): string {
  return expireAt === null ? "none" : `${expireAt} (${new Date(expireAt).toISOString()})`;
}
