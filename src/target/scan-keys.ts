/**
 * All keys of the target in some places, page by page, by SCAN on a connection of its own. A key that is there from the beginning to the end
 * comes at least once, maybe more often; one that comes or goes meanwhile may or may not (https://redis.io/docs/latest/commands/scan/). The
 * next page is asked for while the caller works on the one it has. Only reads.
 */
import type { Endpoint } from "../config/endpoint.ts";
import { Conversation } from "../net/conversation.ts";
import { peerError, peerName } from "../net/socket-errors.ts";
import { type Reply, replyItems, replyText } from "../resp/reply.ts";
import { askTarget } from "./ask-target.ts";
import { type KeyPlace, type PlaceFilter, placeFilters } from "./key-places.ts";

const PAGE_KEYS = 1000;

export type ScanKeysOptions = {
  readonly endpoint: Endpoint;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Keys of df2redis itself are left out. */
  readonly places: readonly KeyPlace[];
  /** SCAN's COUNT: about as many keys come in a page. */
  readonly pageKeys?: number | undefined;
};

export type KeyPage = {
  readonly db: number;
  /** Those of the places. They belong to the receiver. */
  readonly keys: readonly Buffer[];
  /** How many keys the target went through for it: those of other places, too, as far as it sent them. */
  readonly looked: number;
};

/** @throws AUTH_FAILED, TARGET_NOT_READY, TARGET_REJECTED, the signal's reason, or what breaks a connection */
export async function* scanKeys(options: ScanKeysOptions): AsyncGenerator<KeyPage, void, void> {
  const conversation = await Conversation.open(options.endpoint, { ...options, role: "target" });
  try {
    for (const place of placeFilters(options.places)) {
      yield* scanDatabase(conversation, place, options.pageKeys ?? PAGE_KEYS);
    }
  } finally {
    conversation.close();
  }
}

async function* scanDatabase(
  conversation: Conversation,
  place: PlaceFilter,
  pageKeys: number,
): AsyncGenerator<KeyPage, void, void> {
  const match = place.match === undefined ? [] : ["MATCH", place.match];
  const ask = (cursor: string): Promise<Reply> => {
    const reply = askTarget(conversation, "SCAN", cursor, ...match, "COUNT", String(pageKeys));
    // It may fail while the caller still works on the page before; the caller hears of it when it asks for this one.
    reply.catch(() => {});
    return reply;
  };
  await askTarget(conversation, "SELECT", String(place.db));
  let next = ask("0");
  for (;;) {
    const { cursor, keys } = readPage(conversation, await next);
    const isLast = cursor === "0";
    if (!isLast) next = ask(cursor);
    const looked = place.match === undefined ? keys.length : pageKeys;
    yield { db: place.db, keys: keys.filter((key) => place.holds(key)), looked };
    if (isLast) return;
  }
}

/** Cursors are 64-bit numbers: they stay text. */
function readPage(
  conversation: Conversation,
  reply: Reply,
): { readonly cursor: string; readonly keys: readonly Buffer[] } {
  const items = replyItems(reply);
  const cursor = replyText(items?.[0]);
  const keys = replyItems(items?.[1]);
  if (cursor === undefined || keys === undefined) throw nonsense(conversation);
  return {
    cursor,
    keys: keys.map((key) => {
      if (key.type !== "bulk") throw nonsense(conversation);
      return key.bytes;
    }),
  };
}

function nonsense(conversation: Conversation): Error {
  const { peer } = conversation;
  return peerError("PROTOCOL_VIOLATION", peer, `The ${peerName(peer)} does not answer SCAN as a Redis does.`);
}
