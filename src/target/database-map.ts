/**
 * Where the source's databases go (the key `databases`): each to a database of the target, its keys with a prefix or without. Pure; built once
 * per worker from the rules, asked per database, never per key.
 *
 * A source database that no rule names keeps its number, without a prefix; so it may well share a database of the target with one that was
 * moved there. Two that have the same place are merged: then a key name may come from one of them only (merge-guard.ts). Two in one database
 * whose prefixes begin alike ("" and "two:", "a" and "ab") are told apart by their names: a name that begins with the rest of the longer prefix is
 * reserved for the database that has this prefix, and refused in the other. So every key of the target stands for one key of the source,
 * whichever flows they come from.
 */
import type { DatabaseRule } from "../config/database-pairs.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { type KeyPlace, OWN_PREFIX } from "./key-places.ts";

/** A Dragonfly has 1024 databases at most (src/server/common_types.h kMaxDbId; `--dbnum`, 16 by default). */
export const SOURCE_DATABASES = 1024;

export type PlacedDatabase = {
  readonly db: number;
  /** Empty for none. */
  readonly prefix: Buffer;
  /** The source's databases that have this place, ascending. More than one: they are merged. */
  readonly sources: readonly number[];
  /** How names of this place must not begin, because with the prefix they would look like another's. */
  readonly reserved: readonly ReservedName[];
};

export type ReservedName = {
  readonly start: Buffer;
  /** A source database that such names belong to. */
  readonly source: number;
};

/** The keys below the prefix that begin with none of `except`. */
export type FlushPlace = KeyPlace & { readonly except: readonly string[] };

export type FlushScope =
  | { readonly kind: "places"; readonly places: readonly FlushPlace[] }
  /** The keys of this database cannot be told from those of others. */
  | { readonly kind: "mixed"; readonly why: string };

export type SourceKey = { readonly databases: readonly number[]; readonly key: Buffer };

/** undefined when every database keeps its number and its names. @throws CONFIG_INVALID */
export function databaseMap(rules: readonly DatabaseRule[]): DatabaseMap | undefined {
  refuseMistakes(rules);
  if (rules.every(({ source, target, prefix }) => source === target && prefix === "")) return undefined;
  return new DatabaseMap(rules);
}

function refuseMistakes(rules: readonly DatabaseRule[]): void {
  const seen = new Set<number | undefined>();
  for (const { source, prefix } of rules) {
    if (seen.has(source)) throw invalid(`names ${source ?? "`*`"} twice`);
    if (source !== undefined && source >= SOURCE_DATABASES) {
      throw invalid(`names database ${source}, but a Dragonfly has only databases 0 to ${SOURCE_DATABASES - 1}`);
    }
    if (prefix.startsWith(OWN_PREFIX))
      throw invalid(`has a prefix that begins with ${OWN_PREFIX}, which is df2redis' own`);
    seen.add(source);
  }
}

function invalid(text: string): Df2RedisError {
  return new Df2RedisError("CONFIG_INVALID", `The configuration has a mistake:\n  databases: ${text}`, {
    context: { mistakes: 1 },
  });
}

type Target = { readonly db: number; readonly prefix: Buffer; readonly text: string };

export class DatabaseMap {
  readonly #targets: readonly Target[];
  readonly #named: ReadonlySet<number>;
  readonly #hasRest: boolean;
  readonly #places: (PlacedDatabase | undefined)[] = [];

  /** @param rules each source once: `databaseMap` sees to it */
  constructor(rules: readonly DatabaseRule[]) {
    const rest = rules.find(({ source }) => source === undefined);
    const bySource = new Map(rules.map((rule) => [rule.source, rule]));
    this.#hasRest = rest !== undefined;
    this.#named = new Set(rules.flatMap(({ source }) => (source === undefined ? [] : [source])));
    this.#targets = Array.from({ length: SOURCE_DATABASES }, (_, db) => targetOf(bySource.get(db) ?? rest, db));
  }

  /** @throws PROTOCOL_VIOLATION for a database that no Dragonfly has */
  place(sourceDb: number): PlacedDatabase {
    return (this.#places[sourceDb] ??= this.#findPlace(sourceDb));
  }

  /** Source databases with a rule of their own. */
  get named(): Iterable<number> {
    return this.#named;
  }

  /** A source database that only `*` speaks of; undefined without `*`. */
  get firstOfRest(): number | undefined {
    return this.#hasRest ? this.#targets.findIndex((_, db) => !this.#named.has(db)) : undefined;
  }

  /**
   * What of the target a flush of the source's database empties.
   * @param sourceDb -1 for all (FLUSHALL)
   * @param targetDatabases how many the target has
   */
  flushScope(sourceDb: number, targetDatabases: number): FlushScope {
    if (sourceDb === -1) return { kind: "places", places: this.#allPlaces(targetDatabases) };
    const { db, prefix, sources, reserved } = this.place(sourceDb);
    if (sources.length > 1) return { kind: "mixed", why: mixedText(sourceDb, sources, db) };
    const except = reserved.map(({ source }) => this.#targets[source]?.text ?? "");
    return { kind: "places", places: [{ db, prefix: prefix.toString(), except: outermost(except) }] };
  }

  /** The source's name of a key of the target, and the databases that it may come from; undefined when it can come from none. For reports. */
  sourceOf(targetDb: number, key: Uint8Array): SourceKey | undefined {
    const name = Buffer.from(key.buffer, key.byteOffset, key.length);
    let best: Target | undefined;
    let source = 0;
    for (const [db, target] of this.#targets.entries()) {
      if (target.db !== targetDb || !startsWith(name, target.prefix)) continue;
      if (best !== undefined && best.prefix.length >= target.prefix.length) continue;
      best = target;
      source = db;
    }
    if (best === undefined) return undefined;
    return { databases: this.place(source).sources, key: Buffer.from(name.subarray(best.prefix.length)) };
  }

  #findPlace(sourceDb: number): PlacedDatabase {
    const own = this.#targets[sourceDb];
    if (own === undefined) {
      throw new Df2RedisError(
        "PROTOCOL_VIOLATION",
        `the source speaks of its database ${sourceDb}, but a Dragonfly has only databases 0 to ${SOURCE_DATABASES - 1}`,
        { context: { db: sourceDb } },
      );
    }
    const sources: number[] = [];
    const reserved: ReservedName[] = [];
    for (const [source, { db, prefix }] of this.#targets.entries()) {
      if (db !== own.db || !startsWith(prefix, own.prefix)) continue;
      if (prefix.length === own.prefix.length) sources.push(source);
      else reserved.push({ start: prefix.subarray(own.prefix.length), source });
    }
    return { db: own.db, prefix: own.prefix, sources, reserved };
  }

  #allPlaces(targetDatabases: number): FlushPlace[] {
    const byDb = new Map<number, string[]>();
    for (const { db, text } of this.#targets) {
      if (db >= targetDatabases) continue;
      const prefixes = byDb.get(db);
      if (prefixes === undefined) byDb.set(db, [text]);
      else prefixes.push(text);
    }
    const sorted = [...byDb].toSorted(([a], [b]) => a - b);
    return sorted.flatMap(([db, prefixes]) => outermost(prefixes).map((prefix) => ({ db, prefix, except: [] })));
  }
}

function targetOf(rule: DatabaseRule | undefined, db: number): Target {
  const text = rule?.prefix.replaceAll("{db}", String(db)) ?? "";
  return { db: rule?.target ?? db, prefix: Buffer.from(text), text };
}

function mixedText(sourceDb: number, sources: readonly number[], db: number): string {
  const others = sources.filter((source) => source !== sourceDb);
  const shown = others.slice(0, 3).join(", ") + (others.length > 3 ? " and others" : "");
  return (
    `the source emptied its database ${sourceDb}, whose keys lie in database ${db} of the target among those of database ${shown} ` +
    "and cannot be told from them: give it a prefix of its own (`databases`)"
  );
}

/** Without those that begin with another of them. */
function outermost(prefixes: readonly string[]): string[] {
  const kept: string[] = [];
  for (const prefix of prefixes.toSorted()) {
    const last = kept.at(-1);
    if (last === undefined || !prefix.startsWith(last)) kept.push(prefix);
  }
  return kept;
}

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return start.length <= bytes.length && bytes.compare(start, 0, start.length, 0, start.length) === 0;
}
