/** Runs a source's FLUSHALL or FLUSHDB on the target, on a connection of its own, once all flows wait for it (I6). */
import type { Endpoint } from "../config/endpoint.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { Conversation } from "../net/conversation.ts";

export type TargetFlushOptions = {
  readonly endpoint: Endpoint;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
};

/** @param db the database to empty, -1 for all */
export async function flushTarget(options: TargetFlushOptions, db: number): Promise<void> {
  const conversation = await Conversation.open(options.endpoint, { ...options, role: "target" });
  try {
    const requests = db === -1 ? [["FLUSHALL"]] : [["SELECT", String(db)], ["FLUSHDB"]];
    for (const request of requests) {
      const reply = await conversation.request(...request);
      if (reply.type !== "error") continue;
      throw new Df2RedisError("TARGET_REJECTED", `the target refused ${request.join(" ")}: ${reply.message}`, {
        context: { command: request[0], db, words: reply.message },
      });
    }
  } finally {
    conversation.close();
  }
}
