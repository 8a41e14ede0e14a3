/**
 * Runs a source's FLUSHALL or FLUSHDB on the target, on connections of its own, once all flows wait for it (I6). It empties what belongs to the
 * run and nothing else: other databases, keys without our prefix and, where they must survive, the keys that the target held before stay.
 */
import { Slice } from "../bytes/slice.ts";
import type { Endpoint } from "../config/endpoint.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { Conversation } from "../net/conversation.ts";
import { type KeyPlace, wholeDatabases } from "../target/key-places.ts";
import type { OwnedKeys } from "../target/owned-keys.ts";
import { type KeyPage, scanKeys } from "../target/scan-keys.ts";

export type TargetFlushOptions = {
  readonly endpoint: Endpoint;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Keys that the target held before the run and that a flush of the source must leave (`conflict.policy` skip and panic). */
  readonly spared?: OwnedKeys | undefined;
  /** Number of databases of the target: where to look when `spared` keys forbid a FLUSHALL. */
  readonly databases?: number | undefined;
};

/** What a flush of the source empties, in terms of the target. `all`: every database, those included that the run does not write to. */
export type TargetFlushScope =
  | { readonly kind: "all" }
  | { readonly kind: "places"; readonly places: readonly KeyPlace[] };

const DEFAULT_DATABASES = 16;

/** @param scope a number is one database, -1 all of them */
export async function flushTarget(options: TargetFlushOptions, scope: TargetFlushScope | number): Promise<void> {
  const wanted = typeof scope === "number" ? scopeOf(scope) : scope;
  const conversation = await Conversation.open(options.endpoint, { ...options, role: "target" });
  try {
    if (options.spared !== undefined) return await flushKeys(conversation, options, placesOf(options, wanted));
    if (wanted.kind === "all") return await run(conversation, -1, "FLUSHALL");
    const [whole, parts] = divided(wanted.places);
    await flushDatabases(conversation, whole);
    await flushKeys(conversation, options, parts);
  } finally {
    conversation.close();
  }
}

function scopeOf(db: number): TargetFlushScope {
  return db === -1 ? { kind: "all" } : { kind: "places", places: [{ db, prefix: "" }] };
}

function placesOf({ databases = DEFAULT_DATABASES }: TargetFlushOptions, scope: TargetFlushScope): readonly KeyPlace[] {
  return scope.kind === "all" ? wholeDatabases(databases) : scope.places;
}

/** The databases that are meant as a whole, and the places in the others. */
function divided(places: readonly KeyPlace[]): readonly [ReadonlySet<number>, readonly KeyPlace[]] {
  const isWhole = ({ prefix, except = [] }: KeyPlace): boolean => prefix === "" && except.length === 0;
  const whole = new Set(places.filter((place) => isWhole(place)).map(({ db }) => db));
  return [whole, places.filter(({ db }) => !whole.has(db))];
}

async function flushDatabases(conversation: Conversation, dbs: ReadonlySet<number>): Promise<void> {
  for (const db of dbs) {
    await run(conversation, db, "SELECT", String(db));
    await run(conversation, db, "FLUSHDB");
  }
}

/** All flows stand still meanwhile, so only other clients of the target can write in between; what they add may stay. */
async function flushKeys(
  conversation: Conversation,
  options: TargetFlushOptions,
  places: readonly KeyPlace[],
): Promise<void> {
  if (places.length === 0) return;
  const slice = new Slice();
  let selected = -1;
  for await (const page of scanKeys({ ...options, places })) {
    if (selected !== page.db) await run(conversation, page.db, "SELECT", String(page.db));
    selected = page.db;
    const doomed = doomedOf(page, options.spared, slice);
    if (doomed.length > 0) await run(conversation, page.db, "UNLINK", ...doomed);
  }
}

function doomedOf({ db, keys }: KeyPage, spared: OwnedKeys | undefined, slice: Slice): readonly Buffer[] {
  if (spared === undefined) return keys;
  return keys.filter((key) => !spared.has(db, slice.set(key, 0, key.length)));
}

async function run(
  conversation: Conversation,
  db: number,
  name: string,
  ...args: readonly (string | Uint8Array)[]
): Promise<void> {
  const reply = await conversation.request(name, ...args);
  if (reply.type !== "error") return;
  throw new Df2RedisError("TARGET_REJECTED", `the target refused ${commandText(name, args)}: ${reply.message}`, {
    context: { command: name, db, words: reply.message },
  });
}

/** Without keys. */
function commandText(name: string, args: readonly (string | Uint8Array)[]): string {
  return [name, ...args.filter((arg) => typeof arg === "string")].join(" ");
}
