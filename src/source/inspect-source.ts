/**
 * Looks at the source as an ordinary client that only reads: what it is and how it is used. What it refuses to tell is undefined in the
 * answer. Judges nothing; whether it lets us replicate is for the handshake to see (source-control.ts).
 */
import type { Conversation } from "../net/conversation.ts";
import { infoNumber, keysInDatabases, parseInfo } from "../net/info.ts";
import { Inquiry } from "../net/inquiry.ts";
import { identifyServer } from "../net/server-identity.ts";
import { serverRefusal } from "../net/server-words.ts";
import { type Reply, replyItems, replyText } from "../resp/reply.ts";
import type { SourceFacts } from "./source-facts.ts";

type Info = ReadonlyMap<string, string>;

/** One by one: an old master, or a user with few rights, may be told some of them only. */
const SECTIONS = ["SERVER", "CLIENTS", "MEMORY", "PERSISTENCE", "REPLICATION", "CLUSTER", "KEYSPACE"] as const;

/** @throws Df2RedisError when it does not let us in */
export async function inspectSource(conversation: Conversation): Promise<SourceFacts> {
  const inquiry = new Inquiry(conversation);
  await knock(conversation);
  const replies = new Map<string, Reply | undefined>();
  for (const section of SECTIONS) replies.set(section, await inquiry.ask("INFO", section));
  const info: Info = new Map([...replies.values()].flatMap((reply) => [...parseInfo(reply ?? { type: "null" })]));
  const role = info.get("role") ?? replyText(replyItems(await inquiry.ask("ROLE"))?.[0]);
  const cluster = info.get("cluster_enabled");
  return {
    identity: identifyServer(info),
    isReplica: role === undefined ? undefined : /^(?:slave|replica)$/.test(role),
    masterAddress: info.has("master_host") ? `${info.get("master_host")}:${info.get("master_port")}` : undefined,
    isLoading: info.get("loading") === "1",
    isCluster: cluster === undefined ? undefined : cluster === "1",
    evicts: evicts(info),
    usedBytes: infoNumber(info, "used_memory"),
    limitBytes: infoNumber(info, "maxmemory"),
    keysByDatabase: replies.get("KEYSPACE") === undefined ? undefined : keysInDatabases(info),
    connectedReplicas: infoNumber(info, "connected_slaves"),
    maxClients: wholeNumber(await inquiry.setting("maxclients")),
    connectedClients: infoNumber(info, "connected_clients"),
    searchIndexes: replyItems(await inquiry.ask("FT._LIST"))?.length,
    refusals: inquiry.refusals,
  };
}

/** Whether it wants a login first: that is no refusal of one question. */
async function knock(conversation: Conversation): Promise<void> {
  const reply = await conversation.request("PING");
  const refusal = reply.type === "error" ? serverRefusal(conversation.peer, "PING", reply.message) : undefined;
  if (refusal !== undefined && !/^(?:NOPERM|LOADING)/.test(String(refusal.context["reply"]))) throw refusal;
}

function evicts(info: Info): boolean | undefined {
  const mode = info.get("cache_mode") ?? info.get("maxmemory_policy");
  return mode === undefined ? undefined : mode !== "store" && mode !== "noeviction";
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
