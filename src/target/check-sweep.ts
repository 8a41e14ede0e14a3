/** Finds out before a run whether the target will let it be swept: better now than after hours of copying. Changes nothing. */
import type { Endpoint } from "../config/endpoint.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { Conversation } from "../net/conversation.ts";
import { refusalOf } from "./ask-target.ts";

const PROBE = "df2redis:probe";

/** What `UnclaimedDeleter` sends; DISCARD also ends the WATCH. */
const REQUESTS: readonly (readonly [string, ...string[]])[] = [
  ["WATCH", PROBE],
  ["MULTI"],
  ["UNLINK", PROBE],
  ["DISCARD"],
];

/** The user may run the command, but not on our key (Redis src/acl.c getAclErrorMessage, of 6.2 and of 7.0 and later). */
const KEY_REFUSAL = /access (?:a key|one of the keys)/i;

export type CheckSweepOptions = {
  readonly endpoint: Endpoint;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
};

/** @throws AUTH_FAILED or TARGET_REJECTED when it does not, and what breaks a connection */
export async function checkSweep(options: CheckSweepOptions): Promise<void> {
  const conversation = await Conversation.open(options.endpoint, { ...options, role: "target" });
  try {
    for (const request of REQUESTS) {
      const reply = await conversation.request(...request);
      if (reply.type === "error" && !KEY_REFUSAL.test(reply.message))
        throw withAdvice(refusalOf(conversation, request[0], reply.message));
    }
  } finally {
    conversation.close();
  }
}

function withAdvice(error: Df2RedisError): Df2RedisError {
  const advice = "The sweep needs that, to delete what the source does not have: allow it, or set sweep.mode to off.";
  return new Df2RedisError(error.code, `${error.message} ${advice}`, { context: error.context, cause: error });
}
