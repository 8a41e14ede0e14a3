/** Asks the target all that `doctor` wants to know. Writes nothing but the one key of `tryWrite`. */
import type { Config } from "../../config/load-config.ts";
import { asDf2RedisError } from "../../errors/df2redis-error.ts";
import { Conversation } from "../../net/conversation.ts";
import { Inquiry } from "../../net/inquiry.ts";
import { medianPingMs } from "../../net/ping-latency.ts";
import { readClock } from "../../net/server-clock.ts";
import { inspectTarget } from "../../target/inspect-target.ts";
import { targetMisfit } from "../../target/target-suitability.ts";
import { tryWrite } from "../../target/try-write.ts";
import type { NoLook, TargetLook } from "./look.ts";

export async function lookAtTarget(config: Config, writes: boolean): Promise<TargetLook | NoLook> {
  const endpoint = config.target;
  const { connectTimeoutMs, replyTimeoutMs } = config.advanced;
  let conversation: Conversation | undefined;
  try {
    conversation = await Conversation.open(endpoint, { role: "target", connectTimeoutMs, replyTimeoutMs });
    const inquiry = new Inquiry(conversation);
    const facts = await inspectTarget(conversation);
    return {
      endpoint,
      facts,
      // What rules it out would only be said twice.
      write:
        writes && targetMisfit(conversation.peer, facts) === undefined ? await tryWrite(conversation) : "not tried",
      clock: await readClock(inquiry),
      latencyMs: await medianPingMs(inquiry),
    };
  } catch (thrown) {
    return { endpoint, error: asDf2RedisError(thrown) };
  } finally {
    conversation?.close();
  }
}
