/**
 * What a Dragonfly holds and a plain Redis does not, and what is to become of each: asked for in the configuration (`unsupported`), decided
 * once per run from what the target can do (`planFeatures`).
 */
export const FEATURES = [
  "json",
  "bloom",
  "cuckoo",
  "cms",
  "topk",
  "fieldTtl",
  "memberTtl",
  "sticky",
  "search",
  "lua",
] as const;

export type Feature = (typeof FEATURES)[number];

/**
 * - `native`: the target has the same thing;
 * - `convert`: carried in another form;
 * - `drop`: left out, counted and listed;
 * - `fail`: the first one ends the run with FEATURE_UNSUPPORTED.
 */
export type FeatureChoice = "native" | "convert" | "drop" | "fail";

export type FeaturePlan = Readonly<Record<Feature, FeatureChoice>>;

/** The same choice for all. */
export function uniformPlan(choice: FeatureChoice): FeaturePlan {
  return Object.fromEntries(FEATURES.map((feature) => [feature, choice])) as FeaturePlan;
}
