/**
 * Decides, once per run, what becomes of each feature of a Dragonfly that the target may lack (docs/features.md), and says it in an operator's
 * words. Pure. It must never weaken a choice that was asked for: what the target cannot do is refused before anything is written.
 */
import type { UnsupportedConfig } from "../config/schema.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { OptionalCommand, TargetCapabilities } from "./capabilities.ts";
import {
  FEATURE_CHOICES,
  FEATURE_WORDS,
  FEATURES,
  type Feature,
  type FeatureChoice,
  type FeaturePlan,
} from "./features.ts";

/** The command that shows that the target has the feature itself. */
const NATIVE_COMMAND: Partial<Record<Feature, OptionalCommand>> = {
  json: "JSON.SET",
  fieldTtl: "HPEXPIREAT",
  search: "FT.CREATE",
  lua: "SCRIPT",
};

/** "auto", in order: the first that is possible. What holds data is carried or stops the run, never left out. */
const AUTO: Readonly<Record<Feature, readonly [FeatureChoice, ...FeatureChoice[]]>> = {
  json: ["native", "convert"],
  bloom: ["fail"],
  cuckoo: ["fail"],
  cms: ["fail"],
  topk: ["fail"],
  fieldTtl: ["native", "convert"],
  memberTtl: ["convert"],
  sticky: ["drop"],
  search: ["drop"],
  lua: ["native", "drop"],
};

const LACKS: Partial<Record<Feature, string>> = {
  json: "the target has no JSON module",
  fieldTtl: "the target has no HPEXPIREAT, which came with Redis 7.4 and Valkey 9",
  search: "the target has no search module",
  lua: "the target does not allow SCRIPT",
};

const NEVER: Partial<Record<Feature, string>> = {
  bloom: "Dragonfly's Bloom filters hash with XXH3, so the filters of other servers cannot take their bits",
  cuckoo: "Dragonfly's cuckoo filters hash with XXH3, so the filters of other servers cannot take their fingerprints",
  cms: "Dragonfly's count-min sketches hash with XXH3, so the sketches of other servers cannot take their counters",
  topk: "Dragonfly's top-k sketches hash with XXH3, so the sketches of other servers cannot take their counters",
  memberTtl: "no other server has deadlines of set members",
  sticky: "no other server has sticky keys",
};

export type FeatureText = {
  readonly feature: Feature;
  readonly choice: FeatureChoice;
  /** One line for an operator. */
  readonly text: string;
};

/** @throws CONFIG_INVALID with a line for every choice that this target cannot do. */
export function planFeatures(asked: UnsupportedConfig, capabilities: TargetCapabilities): FeaturePlan {
  const mistakes: string[] = [];
  const plan: [Feature, FeatureChoice][] = FEATURES.map((feature) => {
    const possible = possibleChoices(feature, capabilities);
    const choice = asked[feature];
    if (choice === "auto") return [feature, autoChoice(feature, possible)];
    if (!possible.includes(choice)) mistakes.push(mistake(feature, choice, possible));
    return [feature, choice];
  });
  if (mistakes.length > 0) {
    const heading = "The target cannot do what the configuration asks for:";
    throw new Df2RedisError("CONFIG_INVALID", [heading, ...mistakes].join("\n  "));
  }
  return Object.fromEntries(plan) as FeaturePlan;
}

/** A line for each feature, in the order of `FEATURES`. */
export function describePlan(plan: FeaturePlan, capabilities: TargetCapabilities): FeatureText[] {
  return FEATURES.map((feature) => {
    const choice = plan[feature];
    return {
      feature,
      choice,
      text: `${sentenceStart(FEATURE_WORDS[feature])}: ${says(feature, choice, capabilities)}`,
    };
  });
}

/** What can be chosen for `feature` on this target. */
export function possibleChoices(feature: Feature, capabilities: TargetCapabilities): readonly FeatureChoice[] {
  const choices = FEATURE_CHOICES[feature];
  return isNative(feature, capabilities) ? choices : choices.filter((choice) => choice !== "native");
}

function isNative(feature: Feature, { commands }: TargetCapabilities): boolean {
  const command = NATIVE_COMMAND[feature];
  return command !== undefined && commands.has(command);
}

function autoChoice(feature: Feature, possible: readonly FeatureChoice[]): FeatureChoice {
  return AUTO[feature].find((choice) => possible.includes(choice)) ?? "fail";
}

function mistake(feature: Feature, choice: FeatureChoice, possible: readonly FeatureChoice[]): string {
  const why = FEATURE_CHOICES[feature].includes(choice) ? LACKS[feature] : NEVER[feature];
  const reason = why === undefined ? "" : `: ${why}`;
  return `unsupported.${feature}: ${choice} is not possible${reason}. Possible: ${["auto", ...possible].join(", ")}.`;
}

const CARRIED: Readonly<Record<Feature, Partial<Record<FeatureChoice, string>>>> = {
  json: { native: "as JSON documents", convert: "as strings with the document's text" },
  bloom: {},
  cuckoo: {},
  cms: {},
  topk: {},
  fieldTtl: {
    native: "set on the target",
    convert: "kept by df2redis, which deletes the fields when they are due, while it runs",
  },
  memberTtl: { convert: "kept by df2redis, which deletes the members when they are due, while it runs" },
  sticky: { drop: "carried as usual keys, which the target may evict" },
  search: {
    native: "created on the target",
    drop: "their definitions are left out, counted and listed; the documents are carried",
  },
  lua: { native: "loaded into the target's script cache" },
};

const DROPPED: Partial<Record<Feature, string>> = {
  fieldTtl: "left out, counted and listed; the fields are carried and stay for good",
  memberTtl: "left out, counted and listed; the members are carried and stay for good",
};

function says(feature: Feature, choice: FeatureChoice, capabilities: TargetCapabilities): string {
  if (choice === "fail") return `the first one stops the run (unsupported.${feature}: fail)`;
  const how = CARRIED[feature][choice] ?? DROPPED[feature] ?? "left out, counted and listed";
  const lacks = isNative(feature, capabilities) ? undefined : (LACKS[feature] ?? NEVER[feature]);
  return lacks === undefined || choice === "native" ? how : `${how} (${lacks})`;
}

function sentenceStart(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
