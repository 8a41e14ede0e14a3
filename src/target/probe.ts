/** Looks at the target once, before anything is written: what it is, whether it takes writes, and what its RESTORE can load. */
import type { Endpoint } from "../config/endpoint.ts";
import { Conversation } from "../net/conversation.ts";
import { parseInfo } from "../net/info.ts";
import { identifyServer, identityName } from "../net/server-identity.ts";
import { serverRefusal } from "../net/server-words.ts";
import { peerError, peerName } from "../net/socket-errors.ts";
import { replyInteger, replyItems, replyText } from "../resp/reply.ts";
import type { TargetCapabilities } from "./capabilities.ts";
import { MIN_REDIS_VERSION, restoreSupport } from "./restore-support.ts";

export type ProbeOptions = {
  readonly endpoint: Endpoint;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
};

/** As many as a Redis has by default are tried where CONFIG is hidden. */
const DEFAULT_DATABASES = 16;

const DEFAULT_MAX_BULK_BYTES = 512 * 1024 * 1024;

type Info = ReadonlyMap<string, string>;

export async function probeTarget(options: ProbeOptions): Promise<TargetCapabilities> {
  const conversation = await Conversation.open(options.endpoint, { ...options, role: "target" });
  try {
    const info = await readInfo(conversation);
    refuseUnsuitable(conversation, info);
    const identity = identifyServer(info);
    const support = restoreSupport(identity);
    if (support === undefined)
      throw unsuitable(conversation, `is ${identityName(identity)}; at least ${MIN_REDIS_VERSION} is needed`);
    const databases = await countDatabases(conversation);
    return {
      product: identity.product,
      version: identity.version,
      ...support,
      databases,
      keys: countKeys(info),
      keysByDatabase: new Map(),
      commands: new Set(["RESTORE", "EVAL", "SCRIPT"]),
      maxBulkBytes: DEFAULT_MAX_BULK_BYTES,
    };
  } finally {
    conversation.close();
  }
}

async function readInfo(conversation: Conversation): Promise<Info> {
  const reply = await conversation.request("INFO");
  if (reply.type === "bulk") return parseInfo(reply);
  if (reply.type !== "error") {
    throw peerError(
      "PROTOCOL_VIOLATION",
      conversation.peer,
      `The ${peerName(conversation.peer)} does not answer INFO as a Redis does.`,
    );
  }
  const hello =
    reply.message.startsWith("NOPERM") || /unknown command/i.test(reply.message)
      ? await readHello(conversation)
      : undefined;
  if (hello !== undefined) return hello;
  throw (
    serverRefusal(conversation.peer, "INFO", reply.message) ??
    unsuitable(conversation, `refuses INFO: ${reply.message}`)
  );
}

/** HELLO tells version, mode and role to users who may not run INFO. In the words of INFO. */
async function readHello(conversation: Conversation): Promise<Info | undefined> {
  const items = replyItems(await conversation.request("HELLO"));
  if (items === undefined) return undefined;
  const said = new Map<string, string>();
  for (let i = 0; i + 1 < items.length; i += 2) said.set(replyText(items[i]) ?? "", replyText(items[i + 1]) ?? "");
  const server = said.get("server") ?? "redis";
  const version = said.get("version") ?? "unknown";
  return new Map([
    ["redis_version", version],
    ...(server === "valkey" ? [["valkey_version", version] as const] : []),
    ["server_name", server],
    ["redis_mode", said.get("mode") ?? "standalone"],
    ["role", said.get("role") === "replica" ? "slave" : "master"],
  ]);
}

function refuseUnsuitable(conversation: Conversation, info: Info): void {
  if (info.get("redis_mode") === "sentinel")
    throw unsuitable(conversation, "is a Sentinel, which holds no data; use the master's address");
  if (info.get("cluster_enabled") === "1" || info.get("redis_mode") === "cluster") {
    throw unsuitable(
      conversation,
      "is a node of a Redis Cluster; writing to a cluster comes with a later version of df2redis",
    );
  }
  if (info.get("role") === "slave") {
    const master = info.has("master_host") ? ` of ${info.get("master_host")}:${info.get("master_port")}` : "";
    throw unsuitable(conversation, `is a replica${master}; use the master's address`);
  }
  if (info.get("loading") === "1" || info.get("async_loading") === "1") {
    const message = `The ${peerName(conversation.peer)} is still loading its data; try again when it is done.`;
    throw peerError("TARGET_NOT_READY", conversation.peer, message);
  }
}

function unsuitable(conversation: Conversation, why: string): Error {
  return peerError("TARGET_UNSUITABLE", conversation.peer, `The ${peerName(conversation.peer)} ${why}.`);
}

/** The `dbN:keys=…` lines of INFO. */
function countKeys(info: Info): number {
  let keys = 0;
  for (const [name, value] of info) if (/^db\d+$/.test(name)) keys += Number(/(?:^|,)keys=(\d+)/.exec(value)?.[1] ?? 0);
  return keys;
}

async function countDatabases(conversation: Conversation): Promise<number> {
  const reply = await conversation.request("CONFIG", "GET", "databases");
  const databases = replyInteger(replyItems(reply)?.[1]);
  return databases !== undefined && databases > 0 ? databases : await countSelectable(conversation);
}

/** Never assumed: the server refuses a SELECT of a database that is not there, but takes the writes behind it into another one. */
async function countSelectable(conversation: Conversation): Promise<number> {
  let databases = 1;
  while (databases < DEFAULT_DATABASES) {
    const reply = await conversation.request("SELECT", String(databases));
    if (reply.type === "error") break;
    databases++;
  }
  return databases;
}
