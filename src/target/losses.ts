/**
 * What could not be carried over, by kind: the translators report here and go on. Counted with a few sample keys each; the final
 * report lists them. Sans-IO: no logger, no metric.
 */
import type { Slice } from "../bytes/slice.ts";

export const LOSS_KINDS = {
  json: "JSON documents (the target has no JSON module)",
  bloom: "Bloom filters (the target has no Bloom module)",
  cuckoo: "cuckoo filters (the target has no such module)",
  cms: "count-min sketches (the target has no such module)",
  topk: "top-k sketches (the target has no such module)",
  fieldTtl: "deadlines of hash fields (the fields themselves were carried)",
  memberTtl: "deadlines of set members (the members themselves were carried)",
  sticky: "stickiness of keys (the keys themselves were carried)",
  memcacheFlags: "memcache flags of keys (the keys themselves were carried)",
  search: "search index definitions and commands",
  lua: "scripts in the source's script cache",
  throttle: "rate-limiter states of CL.THROTTLE",
  moduleData: "data of unknown modules",
  pendingOfDeleted: "pending stream entries whose message was deleted (streams above the size for RESTORE)",
} as const;

export type LossKind = keyof typeof LOSS_KINDS;

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
