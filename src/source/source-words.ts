/** What a Dragonfly's refusals mean in the replication handshake. Texts as in the recorded dialogs of 1.27.4 and 1.40.1. */
import { Df2RedisError, type ErrorContext } from "../errors/df2redis-error.ts";
import { serverRefusal } from "../net/server-words.ts";
import { type Peer, peerContext, peerError, peerName } from "../net/socket-errors.ts";
import { describeReply, type Reply } from "../resp/reply.ts";

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /bad master id/i,
    "It is not the master that we shook hands with: it restarted, or a load balancer sends us to several servers.",
  ],
  [
    /sync ?id not found|bad sync id/i,
    "It has forgotten our session: one of our connections broke, or it restarted. Start again.",
  ],
  [
    /invalid state/i,
    "Our session is not in the state for that: not all flows are open, or the master cancelled it. Start again.",
  ],
  [
    /not an integer or out of range/i,
    "It does not know that flow or LSN; was it restarted with another number of threads?",
  ],
  [/cannot execute restricted command/i, "That command is open on its admin port only; connect there."],
  [/takeover/i, "It goes on serving."],
];

/** The error for a refused step: general meanings first (login, ACL, loading), then those of the handshake. */
export function sourceRefusal(peer: Peer, doing: string, words: string, context: ErrorContext = {}): Df2RedisError {
  const general = serverRefusal(peer, doing, words);
  if (general !== undefined) return general.withContext(context);
  if (/replicating a replica/i.test(words)) return replicaError(peer, words).withContext(context);
  const hint = HINTS.find(([pattern]) => pattern.test(words))?.[1];
  const message = `The ${peerName(peer)} refused ${doing}: ${words}${hint === undefined ? "" : ` — ${hint}`}`;
  return new Df2RedisError("SOURCE_REFUSED", message, {
    context: { ...context, ...peerContext(peer), request: doing, reply: words },
  });
}

function replicaError(peer: Peer, words: string): Df2RedisError {
  const message = `The ${peerName(peer)} is itself a replica and hands nothing on; use its master's address. It said: ${words}`;
  return peerError("NOT_A_DRAGONFLY", peer, message);
}

/** A reply that is neither the expected one nor an error. */
export function unexpectedReply(peer: Peer, doing: string, reply: Reply, wrong?: string): Df2RedisError {
  const why = wrong === undefined ? "" : ` (${wrong})`;
  const message = `The ${peerName(peer)} answered ${doing} with ${describeReply(reply)}, which is not what a Dragonfly answers${why}.`;
  return peerError("PROTOCOL_VIOLATION", peer, message);
}
