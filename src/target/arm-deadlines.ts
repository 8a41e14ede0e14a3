/**
 * Arms held deadlines (`translate/journal-deadlines.ts`) by a scan over the target: for keys that the flows' lists had no room for, and for what a
 * run that was killed has left. The scan runs inside the server, in small steps, so no key crosses the wire. Safe beside the flows: only a
 * key with a stand-in is touched, and only outside of the time between `beforeMs` and `afterMs`, whose deadlines the flows hold at that moment.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoint } from "../config/endpoint.ts";
import { Conversation } from "../net/conversation.ts";
import { replyInteger, replyItems, replyText } from "../resp/reply.ts";
import { askTarget } from "./ask-target.ts";
import { armScanScript, STAND_IN_BEYOND_MS } from "./translate/deadline-scripts.ts";

const KEYS_PER_STEP = 500;

export type ArmProgress = {
  readonly db: number;
  /** In all databases so far. A SCAN may meet a key twice. */
  readonly keysSeen: number;
  readonly keysArmed: number;
};

export type ArmDeadlinesOptions = {
  readonly endpoint: Endpoint;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The databases to scan. */
  readonly databases: readonly number[];
  /** Unix ms: keys whose true deadline is at or before it, or at or after `afterMs`, are armed. To arm all, give both the same. */
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly hasPExpireTime: boolean;
  /** As fast as the target answers when not given. */
  readonly keysPerSecond?: number | undefined;
  readonly onProgress?: ((progress: ArmProgress) => void) | undefined;
  /** Unix ms. */
  readonly clock?: (() => number) | undefined;
};

type Step = { readonly cursor: string; readonly seen: number; readonly armed: number };

/** @returns how many keys were armed. @throws AUTH_FAILED, TARGET_NOT_READY, TARGET_REJECTED, the signal's reason, or what breaks a connection */
export async function armHeldDeadlines(options: ArmDeadlinesOptions): Promise<number> {
  const conversation = await Conversation.open(options.endpoint, { ...options, role: "target" });
  try {
    return await scanDatabases(conversation, options);
  } finally {
    conversation.close();
  }
}

async function scanDatabases(conversation: Conversation, options: ArmDeadlinesOptions): Promise<number> {
  const clock = options.clock ?? Date.now;
  const startMs = clock();
  let keysSeen = 0;
  let keysArmed = 0;
  for (const db of options.databases) {
    await askTarget(conversation, "SELECT", String(db));
    let cursor = "0";
    do {
      options.signal?.throwIfAborted();
      const step = await scanStep(conversation, options, cursor);
      cursor = step.cursor;
      keysSeen += step.seen;
      keysArmed += step.armed;
      options.onProgress?.({ db, keysSeen, keysArmed });
      await brake(options, keysSeen, clock() - startMs);
    } while (cursor !== "0");
  }
  return keysArmed;
}

async function scanStep(conversation: Conversation, options: ArmDeadlinesOptions, cursor: string): Promise<Step> {
  const beyondMs = (options.clock ?? Date.now)() + STAND_IN_BEYOND_MS;
  const bounds = [beyondMs, options.beforeMs, options.afterMs].map(String);
  const script = armScanScript(options.hasPExpireTime).toString();
  const reply = await askTarget(conversation, "EVAL", script, "0", ...bounds, cursor, String(KEYS_PER_STEP));
  const [next, seen, armed] = replyItems(reply) ?? [];
  return { cursor: replyText(next) ?? "0", seen: replyInteger(seen) ?? 0, armed: replyInteger(armed) ?? 0 };
}

/** Waits as long as the keys seen so far should have taken. */
async function brake(options: ArmDeadlinesOptions, keysSeen: number, tookMs: number): Promise<void> {
  if (options.keysPerSecond === undefined) return;
  const aheadMs = (keysSeen * 1000) / options.keysPerSecond - tookMs;
  if (aheadMs > 1) await sleep(aheadMs, undefined, { signal: options.signal });
}
