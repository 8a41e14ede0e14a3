/** Refuses to write into a target that holds keys, unless the operator said what is to become of them. Only reads. */
import type { ConflictPolicy } from "../config/schema.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { TargetCapabilities } from "./capabilities.ts";
import { scanKeys, type ScanKeysOptions } from "./scan-keys.ts";

const SHOWN_DATABASES = 8;

/**
 * Whether there is a key in the places of the run, those of df2redis itself aside. Looks for the first one only.
 * @returns undefined when our user may not SCAN: then `capabilities.keys` is all that is known
 */
async function targetHoldsKeys(options: ScanKeysOptions): Promise<boolean | undefined> {
  try {
    for await (const { keys } of scanKeys(options)) if (keys.length > 0) return true;
    return false;
  } catch (thrown) {
    if (thrown instanceof Df2RedisError && thrown.code === "AUTH_FAILED" && thrown.context["request"] === "SCAN") {
      return undefined;
    }
    throw thrown;
  }
}

export type GuardTargetOptions = ScanKeysOptions & {
  readonly capabilities: Pick<TargetCapabilities, "keys" | "keysByDatabase" | "tellsKeys">;
  /** undefined when none was given. */
  readonly policy: ConflictPolicy | undefined;
};

/**
 * Whether `conflict.policy` has something to do: there are keys in the places of the run.
 * @throws TARGET_NOT_EMPTY when there are and no policy was given, and what `scanKeys` throws
 */
export async function guardTarget(options: GuardTargetOptions): Promise<boolean> {
  const { capabilities, policy, places } = options;
  if (capabilities.tellsKeys && capabilities.keys === 0) return false;
  const counts = within(capabilities, new Set(places.map(({ db }) => db)));
  const holdsKeys = (await targetHoldsKeys(options)) ?? counts.keys > 0;
  if (holdsKeys && policy === undefined) throw notEmpty(counts);
  return holdsKeys;
}

type KeyCounts = Pick<TargetCapabilities, "keys" | "keysByDatabase">;

/** The counts of these databases; of all where the target does not tell them apart. */
function within(counts: KeyCounts, dbs: ReadonlySet<number>): KeyCounts {
  if (counts.keysByDatabase.size === 0) return counts;
  const keysByDatabase = new Map([...counts.keysByDatabase].filter(([db, keys]) => dbs.has(db) && keys > 0));
  return { keys: [...keysByDatabase.values()].reduce((sum, keys) => sum + keys, 0), keysByDatabase };
}

function notEmpty({ keys, keysByDatabase }: KeyCounts): Df2RedisError {
  return new Df2RedisError(
    "TARGET_NOT_EMPTY",
    `the target holds ${keysText(keys)}${placesText(keysByDatabase)}, and conflict.policy does not say what is to become of them: use an empty target, or choose overwrite, skip or panic`,
    { context: { keys } },
  );
}

function placesText(keysByDatabase: ReadonlyMap<number, number>): string {
  const places = [...keysByDatabase].toSorted(([a], [b]) => a - b);
  if (places.length === 0) return "";
  const shown = places.slice(0, SHOWN_DATABASES).map(([db, keys]) => `database ${db}: ${keys}`);
  const more = places.length > shown.length ? [`${places.length - shown.length} more databases`] : [];
  return ` (${[...shown, ...more].join(", ")})`;
}

/** 0: there are some, but nobody knows how many. */
function keysText(keys: number): string {
  if (keys === 0) return "keys";
  return keys === 1 ? "1 key" : `${keys} keys`;
}
