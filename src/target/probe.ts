/** Looks at the target once, before anything is written: whether it takes writes, what it can do, and what its RESTORE can load. */
import type { Endpoint } from "../config/endpoint.ts";
import type { WriteMode } from "../config/schema.ts";
import { Conversation } from "../net/conversation.ts";
import { OPTIONAL_COMMANDS, type TargetCapabilities } from "./capabilities.ts";
import { inspectTarget } from "./inspect-target.ts";
import { restoreSupport } from "./restore-support.ts";
import type { TargetFacts } from "./target-facts.ts";
import { targetMisfit } from "./target-suitability.ts";

export type ProbeOptions = {
  readonly endpoint: Endpoint;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** auto unless given. */
  readonly writeMode?: WriteMode | undefined;
};

const DEFAULT_MAX_BULK_BYTES = 512 * 1024 * 1024;

/** @throws Df2RedisError when the target cannot be written to, or not as `writeMode` asks */
export async function probeTarget(options: ProbeOptions): Promise<TargetCapabilities> {
  const conversation = await Conversation.open(options.endpoint, { ...options, role: "target" });
  try {
    const facts = await inspectTarget(conversation);
    const misfit = targetMisfit(conversation.peer, facts, options.writeMode);
    if (misfit !== undefined) throw misfit;
    return targetCapabilities(facts, options.writeMode);
  } finally {
    conversation.close();
  }
}

/** What the writers go by. */
export function targetCapabilities(facts: TargetFacts, writeMode: WriteMode = "auto"): TargetCapabilities {
  const { rights, databases, keysByDatabase = new Map<number, number>(), identity } = facts;
  const commands = new Set(OPTIONAL_COMMANDS.filter((name) => rights.get(name) === "allowed"));
  const support = restoreSupport(identity, facts.restoreVersions);
  const restores = commands.has("RESTORE") && writeMode !== "commands";
  return {
    product: identity.product,
    version: identity.version,
    rdbVersion: support?.rdbVersion ?? 9,
    restorableTypes: restores ? (support?.restorableTypes ?? new Set()) : new Set(),
    databases,
    keys: [...keysByDatabase.values()].reduce((sum, keys) => sum + keys, 0),
    keysByDatabase,
    tellsKeys: facts.keysByDatabase !== undefined,
    commands,
    maxBulkBytes: facts.maxBulkBytes ?? DEFAULT_MAX_BULK_BYTES,
  };
}
