/** Requests to the target whose refusal ends what is being done: an error reply becomes an error in the operator's words. */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { Conversation } from "../net/conversation.ts";
import { serverRefusal } from "../net/server-words.ts";
import { peerContext, peerName } from "../net/socket-errors.ts";
import type { Reply } from "../resp/reply.ts";

/** As much of a `Conversation` as asking takes. */
export type Asked = Pick<Conversation, "peer" | "request">;

/** The reply, never an error. @throws AUTH_FAILED, TARGET_NOT_READY or TARGET_REJECTED */
export async function askTarget(
  conversation: Asked,
  ...args: readonly [string, ...(string | Uint8Array)[]]
): Promise<Reply> {
  const reply = await conversation.request(...args);
  if (reply.type === "error") throw refusalOf(conversation, args[0], reply.message);
  return reply;
}

/** @param command its name, for the message */
export function refusalOf(conversation: Asked, command: string, words: string): Df2RedisError {
  const { peer } = conversation;
  return (
    serverRefusal(peer, command, words) ??
    new Df2RedisError("TARGET_REJECTED", `The ${peerName(peer)} refused ${command}: ${words}`, {
      context: { ...peerContext(peer), command, words },
    })
  );
}
