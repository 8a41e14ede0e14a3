/** What becomes of the things that a plain Redis does not have: those that were found, and those that may yet be. Pure. */
import type { UnsupportedConfig } from "../../config/schema.ts";
import { asDf2RedisError } from "../../errors/df2redis-error.ts";
import { formatCount, plural } from "../../observability/format.ts";
import type { Census } from "../../source/census.ts";
import type { TargetCapabilities } from "../../target/capabilities.ts";
import { describePlan, type FeatureText, planFeatures } from "../../target/feature-plan.ts";
import { type Feature, FEATURE_WORDS, type FeaturePlan } from "../../target/features.ts";
import type { CheckList } from "./check-list.ts";

export type FeatureJudgeOptions = {
  readonly asked: UnsupportedConfig;
  readonly capabilities: TargetCapabilities;
  readonly census: Census;
  readonly searchIndexes: number | undefined;
};

/** What the census needs for them. */
const MEMBER_COMMANDS: readonly string[] = ["FIELDTTL", "HSCAN", "SSCAN"];

export function judgeFeatures(list: CheckList, options: FeatureJudgeOptions): void {
  let plan: FeaturePlan;
  try {
    plan = planFeatures(options.asked, options.capabilities);
  } catch (thrown) {
    return list.problem("features", asDf2RedisError(thrown).message);
  }
  const texts = describePlan(plan, options.capabilities);
  for (const text of texts) {
    const count = foundCount(text.feature, options);
    if (count === undefined) judgeUnseeable(list, text);
    else if (count > 0) judgeFound(list, text, seenText(text.feature, count, options.census));
  }
  judgeUnseen(
    list,
    texts.filter(({ feature }) => foundCount(feature, options) === 0),
    options.census,
  );
}

/** undefined for what cannot be looked for: nobody can ask a Dragonfly for stickiness or scripts, and not all tell their search indexes. */
function foundCount(feature: Feature, { census, searchIndexes }: FeatureJudgeOptions): number | undefined {
  if (feature === "search") return searchIndexes;
  return feature === "sticky" || feature === "lua" ? undefined : (census.features.get(feature) ?? 0);
}

function judgeUnseeable(list: CheckList, { feature, choice, text }: FeatureText): void {
  const found = `cannot be looked for. ${text}`;
  if (choice === "fail") list.unknown(`feature-${feature}`, found);
  else list.ok(`feature-${feature}`, found);
}

function judgeFound(list: CheckList, { feature, choice, text }: FeatureText, seen: string): void {
  const name = `feature-${feature}`;
  const found = `${text}; ${seen}`;
  if (choice === "fail") {
    const advice = `Choose under \`unsupported.${feature}\` what is to become of them, or remove those keys.`;
    list.problem(name, found, advice);
  } else if (choice === "drop" && feature !== "search") list.warning(name, found);
  else list.ok(name, found);
}

function seenText(feature: Feature, count: number, { sampledKeys, isComplete }: Census): string {
  if (feature === "search") return count === 1 ? "1 index" : `${formatCount(count)} indexes`;
  return isComplete ? plural(count, "key") : `${formatCount(count)} of ${plural(sampledKeys, "key")} looked at`;
}

/** Those that would stop a run, for a sample proves nothing. */
function judgeUnseen(list: CheckList, texts: readonly FeatureText[], census: Census): void {
  const failing = texts.filter(({ choice }) => choice === "fail");
  if (failing.length > 0 && !census.isComplete) {
    const names = failing.map(({ feature }) => FEATURE_WORDS[feature]).join(", ");
    list.ok("features-unseen", `not seen in the sample: ${names}. Should there be any, the first stops the run`);
  }
  if (MEMBER_COMMANDS.some((name) => census.refusals.has(name))) {
    list.unknown("feature-members", "whether hash fields and set members have deadlines could not be seen");
  }
}
