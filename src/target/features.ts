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

/** In an operator's words, as a heading and as the subject of a sentence. */
export const FEATURE_WORDS: Readonly<Record<Feature, string>> = {
  json: "JSON documents",
  bloom: "Bloom filters",
  cuckoo: "cuckoo filters",
  cms: "count-min sketches",
  topk: "top-k sketches",
  fieldTtl: "deadlines of hash fields",
  memberTtl: "deadlines of set members",
  sticky: "sticky keys",
  search: "search indices",
  lua: "Lua scripts in the source's cache",
};

/** What can be done with each on some target. No server but Dragonfly reads its filters and sketches, and none else has sticky keys. */
export const FEATURE_CHOICES: Readonly<Record<Feature, readonly FeatureChoice[]>> = {
  json: ["native", "convert", "drop", "fail"],
  bloom: ["drop", "fail"],
  cuckoo: ["drop", "fail"],
  cms: ["drop", "fail"],
  topk: ["drop", "fail"],
  fieldTtl: ["native", "convert", "drop", "fail"],
  memberTtl: ["convert", "drop", "fail"],
  sticky: ["drop", "fail"],
  search: ["native", "drop", "fail"],
  lua: ["native", "drop", "fail"],
};
