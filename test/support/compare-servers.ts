/**
 * Compares two servers completely: every database, key, value, order, score (as doubles, to the bit), stream entry, group, pending entry and
 * deadline (to the ms). Reads in pages, so that memory does not grow with the values. Nobody may write to either side meanwhile; keys may expire.
 *
 * Only commands that Redis, Dragonfly and the simulator all know are used.
 */
import { compareValues, show, typeName } from "./compare-values.ts";
import { type Difference, formatDifference, UNHOLDABLE_TYPES } from "./expected-state.ts";
import type { RespClient } from "./resp-client.ts";
import { type KeyState, readKeys, sameDeadline, scanPages, usedDatabases } from "./server-state.ts";

export type ServersComparison = {
  /** The first ones; `differenceCount` says how many there are. */
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  /** Keys that are equal on both sides, by type. */
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
  /** The target has the modules for JSON, filters and sketches. Default false. */
  readonly targetHoldsAll?: boolean;
};

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
  readonly #targetHoldsAll: boolean;
  readonly #differences: Difference[] = [];
  readonly #equal: Record<string, number> = {};
  readonly #skipped: Record<string, number> = {};
  #differenceCount = 0;
  #equalCount = 0;
  #expired = 0;

  constructor({ source, target, targetHoldsAll = false }: CompareServersOptions) {
    this.#source = source;
    this.#target = target;
    this.#targetHoldsAll = targetHoldsAll;
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
      const [source, target] = await Promise.all([readKeys(this.#source, db, some), readKeys(this.#target, db, some)]);
      const afterMs = Date.now();
      const targetByKey = new Map(target.map((state) => [state.key, state]));
      const sourceByKey = new Map(source.map((state) => [state.key, state]));
      for (const key of some) {
        const name = key.toString("latin1");
        this.#compareKey(sourceByKey.get(name), targetByKey.get(name), afterMs);
      }
    }
  }

  #compareKey(source: KeyState | undefined, target: KeyState | undefined, afterMs: number): void {
    // Gone on both sides since the scan.
    if (source === undefined && target === undefined) this.#expired += 1;
    else if (source === undefined)
      this.#compareLonely(target as KeyState, afterMs, { kind: "extra", expected: "nothing" });
    else if (source.value.type === "other" && !this.#targetHoldsAll) this.#compareUnholdable(source, target);
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

  #comparePair(source: KeyState, target: KeyState): void {
    const type = typeName(source.value);
    const difference = compareValues(source.value, target.value, new Map());
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

function deadline(expireAt: number | null): string {
  return expireAt === null ? "none" : `${expireAt} (${new Date(expireAt).toISOString()})`;
}
