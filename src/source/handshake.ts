/**
 * The handshake on the control connection (docs/protocol.md §1), after the login: PING, who is there, REPLCONF …, and what the master
 * says of itself. What is not a Dragonfly master is named in plain words.
 */
import type { Conversation } from "../net/conversation.ts";
import { identifyServer, identityName, type ServerIdentity } from "../net/server-identity.ts";
import { peerError, peerName } from "../net/socket-errors.ts";
import { parseInfo } from "../net/info.ts";
import type { Reply } from "../resp/reply.ts";
import { type MasterInfo, parseMasterInfo } from "./master-info.ts";
import { sourceRefusal, unexpectedReply } from "./source-words.ts";

/** The highest protocol version whose extras we can parse: search index definitions and HNSW opcodes (Dragonfly 1.37 and later). */
const CLIENT_VERSION = 5;

export type HandshakeOptions = {
  readonly listeningPort?: number | undefined;
  readonly announceAddress?: string | undefined;
  readonly clientId?: string | undefined;
};

export async function shakeHands(conversation: Conversation, options: HandshakeOptions): Promise<MasterInfo> {
  await ping(conversation);
  await replconf(conversation, "listening-port", String(options.listeningPort ?? 0));
  // Old masters may refuse it.
  if (options.announceAddress !== undefined)
    await conversation.request("REPLCONF", "ip-address", options.announceAddress);
  await replconf(conversation, "capa", "eof", "capa", "psync2");
  const master = await join(conversation);
  // Both only switch extras on; masters that do not know them answer with an error.
  await conversation.request("REPLCONF", "CLIENT-ID", options.clientId ?? "df2redis");
  await conversation.request("REPLCONF", "CLIENT-VERSION", String(CLIENT_VERSION));
  return master;
}

async function ping(conversation: Conversation): Promise<void> {
  const reply = await conversation.request("PING");
  if (reply.type === "error") throw sourceRefusal(conversation.peer, "PING", reply.message);
  if (reply.type !== "simple" || reply.text !== "PONG") throw unexpectedReply(conversation.peer, "PING", reply);
}

/**
 * Asked only once the handshake has failed, so that the error can name what answers. During a handshake nothing is sent that the reference
 * replica does not send.
 */
async function identify(conversation: Conversation): Promise<ServerIdentity> {
  const reply = await conversation.request("INFO", "SERVER");
  return identifyServer(reply.type === "error" ? new Map() : parseInfo(reply));
}

async function replconf(conversation: Conversation, ...args: readonly string[]): Promise<void> {
  const reply = await conversation.request("REPLCONF", ...args);
  const doing = `REPLCONF ${args[0]}`;
  if (reply.type === "error") throw await refused(conversation, doing, reply.message);
  if (reply.type !== "simple") throw unexpectedReply(conversation.peer, doing, reply);
}

/** `REPLCONF capa dragonfly` makes us a replica; a plain Redis shrugs it off with +OK. */
async function join(conversation: Conversation): Promise<MasterInfo> {
  const doing = "REPLCONF capa dragonfly";
  const reply: Reply = await conversation.request("REPLCONF", "capa", "dragonfly");
  if (reply.type === "error") throw await refused(conversation, doing, reply.message);
  if (reply.type === "simple") throw notADragonfly(conversation, await identify(conversation));
  const master = parseMasterInfo(reply);
  if ("wrong" in master) throw unexpectedReply(conversation.peer, doing, reply, master.wrong);
  return master;
}

async function refused(conversation: Conversation, doing: string, words: string): Promise<Error> {
  if (/unknown command/i.test(words)) {
    const identity = await identify(conversation);
    if (identity.product !== "dragonfly") return notADragonfly(conversation, identity);
  }
  return sourceRefusal(conversation.peer, doing, words);
}

function notADragonfly(conversation: Conversation, identity: ServerIdentity): Error {
  const name = peerName(conversation.peer);
  const what =
    identity.product === "unknown"
      ? "does not know Dragonfly's replication"
      : `is ${identityName(identity)}, not a Dragonfly`;
  const advice =
    "Point `source` at the Dragonfly master itself; to move a Redis or Valkey use its own replication (REPLICAOF).";
  return peerError("NOT_A_DRAGONFLY", conversation.peer, `The ${name} ${what}. ${advice}`);
}
