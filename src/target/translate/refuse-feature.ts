/** Ends the run at the first thing that the configuration refuses to carry in another form or to leave out. Pure. */
import type { Slice } from "../../bytes/slice.ts";
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import { keyText } from "../../errors/key-text.ts";
import { FEATURE_CHOICES, FEATURE_WORDS, type Feature } from "../features.ts";

/**
 * @param db of the key; -1 when it belongs to no database (scripts)
 * @throws FEATURE_UNSUPPORTED
 */
export function refuseFeature(feature: Feature, db: number, key: Slice): never {
  const shown = keyText(key.view());
  const where = db === -1 ? "" : `, the first at key ${JSON.stringify(shown)} of database ${db}`;
  const others = FEATURE_CHOICES[feature].filter((choice) => choice !== "fail").join(" or ");
  throw new Df2RedisError(
    "FEATURE_UNSUPPORTED",
    `the source holds ${FEATURE_WORDS[feature]}${where}, and unsupported.${feature} is fail: choose ${others} for it to go on`,
    { context: { feature, ...(db === -1 ? {} : { db, key: shown }) } },
  );
}
