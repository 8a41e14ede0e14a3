/**
 * What was not carried over as it is, by kind: the translators report here and go on. Counted with a few sample keys each; the final
 * report lists them. Sans-IO: no logger, no metric.
 */
import type { Slice } from "../bytes/slice.ts";

export const LOSS_KINDS = {
  json: "JSON documents",
  bloom: "Bloom filters",
  cuckoo: "cuckoo filters",
  cms: "count-min sketches",
  topk: "top-k sketches",
  fieldTtl: "deadlines of hash fields (the fields themselves were carried)",
  memberTtl: "deadlines of set members (the members themselves were carried)",
  sticky: "stickiness of keys (the keys themselves were carried)",
  memcacheFlags: "memcache flags of keys (the keys themselves were carried)",
  search: "search index definitions and commands",
  lua: "scripts in the source's script cache",
  throttle: "rate-limiter states of CL.THROTTLE",
  moduleData: "data of unknown modules",
  pendingOfDeleted: "pending stream entries whose message was deleted (streams above the size for RESTORE)",
  jsonAsText: "JSON documents, as strings with their text",
  fieldTtlKept: "hashes whose fields have deadlines: df2redis deletes the fields when they are due, while it runs",
  memberTtlKept: "sets whose members have deadlines: df2redis deletes the members when they are due, while it runs",
  throttleAsNumber: "rate limiters of CL.THROTTLE, as numbers with a deadline",
  skippedKeys: "writes to keys that the target held before (conflict.policy: skip)",
} as const;

export type LossKind = keyof typeof LOSS_KINDS;

/** `lost`: it is not in the target. `converted`: it is, in another form. `skipped`: left out because the configuration says so. */
export type LossOutcome = "lost" | "converted" | "skipped";

const CONVERTED: ReadonlySet<LossKind> = new Set(["jsonAsText", "fieldTtlKept", "memberTtlKept", "throttleAsNumber"]);

export function outcomeOf(kind: LossKind): LossOutcome {
  if (kind === "skippedKeys") return "skipped";
  return CONVERTED.has(kind) ? "converted" : "lost";
}

export type LossReport = {
  readonly kind: LossKind;
  readonly count: number;
  /** Up to ten; bytes that are not UTF-8 are shown as \xNN. */
  readonly samples: readonly { readonly db: number; readonly key: string }[];
};

export type LossRecorder = {
  /** @param db of the key; -1 when the loss belongs to no database. */
  record(kind: LossKind, db: number, key: Slice): void;
};
