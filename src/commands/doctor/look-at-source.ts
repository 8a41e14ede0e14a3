/** Asks the source all that `doctor` wants to know. Reads only, and joins as a replica for a moment without starting a sync. */
import type { Config } from "../../config/load-config.ts";
import { asDf2RedisError, type Df2RedisError } from "../../errors/df2redis-error.ts";
import { Conversation } from "../../net/conversation.ts";
import { Inquiry } from "../../net/inquiry.ts";
import { medianPingMs } from "../../net/ping-latency.ts";
import { readClock } from "../../net/server-clock.ts";
import { takeCensus } from "../../source/census.ts";
import { inspectSource } from "../../source/inspect-source.ts";
import type { MasterInfo } from "../../source/master-info.ts";
import { SourceControl } from "../../source/source-control.ts";
import type { SourceFacts } from "../../source/source-facts.ts";
import type { NoLook, SourceLook } from "./look.ts";

/** Looked at where the source hides which databases hold keys. */
const DEFAULT_DATABASES = Array.from({ length: 16 }, (_, db) => db);

export async function lookAtSource(config: Config, sampleKeys: number): Promise<SourceLook | NoLook> {
  const endpoint = config.source;
  const { connectTimeoutMs, replyTimeoutMs } = config.advanced;
  let conversation: Conversation | undefined;
  try {
    conversation = await Conversation.open(endpoint, { role: "source", connectTimeoutMs, replyTimeoutMs });
    const inquiry = new Inquiry(conversation);
    const facts = await inspectSource(conversation);
    return {
      endpoint,
      facts,
      handshake: await tryHandshake(config),
      clock: await readClock(inquiry),
      latencyMs: await medianPingMs(inquiry),
      census: await takeCensus(conversation, { databases: databasesOf(facts), keysPerDatabase: sampleKeys }),
    };
  } catch (thrown) {
    return { endpoint, error: asDf2RedisError(thrown) };
  } finally {
    conversation?.close();
  }
}

function databasesOf({ keysByDatabase }: SourceFacts): Iterable<number> {
  return keysByDatabase === undefined ? DEFAULT_DATABASES : keysByDatabase.keys();
}

/** On a connection of its own, as in a run. The master forgets us when it closes. */
async function tryHandshake(config: Config): Promise<MasterInfo | Df2RedisError> {
  try {
    const control = await SourceControl.connect({
      endpoint: config.source,
      connectTimeoutMs: config.advanced.connectTimeoutMs,
      replyTimeoutMs: config.advanced.handshakeTimeoutMs,
      clientId: "df2redis-doctor",
      onClose: () => {},
    });
    control.close();
    return control.master;
  } catch (thrown) {
    return asDf2RedisError(thrown);
  }
}
