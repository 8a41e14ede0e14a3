/** Which keys of the target a run is about: whole databases, or the keys below some prefixes. Pure. */

/** The keys of `db` whose name begins with `prefix` (empty: all) and with none of `except`. A place of a `DatabaseMap`'s flush is one. */
export type KeyPlace = {
  readonly db: number;
  readonly prefix: string;
  readonly except?: readonly string[];
};

/** What df2redis itself keeps in a target begins so: never a conflict, never swept, never flushed key by key. */
export const OWN_PREFIX = "df2redis:";

const OWN = Buffer.from(OWN_PREFIX);

/** All keys of each of the databases 0 to `databases` - 1. */
export function wholeDatabases(databases: number): KeyPlace[] {
  return Array.from({ length: databases }, (_, db) => ({ db, prefix: "" }));
}

type Starts = { readonly prefix: Buffer; readonly except: readonly Buffer[] };

/** The places of one database, to be told from its other keys. */
export class PlaceFilter {
  readonly db: number;
  /** Pattern for SCAN's MATCH; undefined when one pattern cannot say, or need not. */
  readonly match: string | undefined;
  readonly #places: readonly Starts[];

  /** @param places all of the same database */
  constructor(db: number, places: readonly KeyPlace[]) {
    this.db = db;
    this.#places = places.map(({ prefix, except = [] }) => ({
      prefix: Buffer.from(prefix),
      except: except.map((start) => Buffer.from(start)),
    }));
    const only = places.length === 1 ? places[0]?.prefix : undefined;
    this.match = only === undefined || only === "" ? undefined : startPattern(only);
  }

  holds(key: Buffer): boolean {
    return !startsWith(key, OWN) && this.#places.some((place) => isIn(place, key));
  }
}

/** One for each database, in ascending order. */
export function placeFilters(places: readonly KeyPlace[]): PlaceFilter[] {
  const byDb = new Map<number, KeyPlace[]>();
  for (const place of places) {
    const known = byDb.get(place.db);
    if (known === undefined) byDb.set(place.db, [place]);
    else known.push(place);
  }
  return [...byDb].toSorted(([a], [b]) => a - b).map(([db, all]) => new PlaceFilter(db, all));
}

function isIn({ prefix, except }: Starts, key: Buffer): boolean {
  return startsWith(key, prefix) && !except.some((other) => startsWith(key, other));
}

function startsWith(key: Buffer, start: Buffer): boolean {
  return key.length >= start.length && key.compare(start, 0, start.length, 0, start.length) === 0;
}

/** Redis src/util.c stringmatchlen: `*`, `?`, `[` and `\` are special, and a backslash takes that from them. Any other byte is itself. */
function startPattern(prefix: string): string {
  return `${prefix.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)}*`;
}
