/** What a Dragonfly master says of itself in the handshake (docs/protocol.md §1). */
import { type Reply, replyInteger, replyItems, replyText } from "../resp/reply.ts";

export type MasterInfo = {
  readonly masterId: string;
  /** Names our session with the master, "SYNC<n>". */
  readonly syncId: string;
  /** How many flows to open, 1..1024. */
  readonly flowCount: number;
  /** Protocol version: 0 = up to 1.10, 1 = partial sync by LSN, … 5 = 1.37 and later. */
  readonly protocolVersion: number;
  readonly lineageId: string | undefined;
};

/** Flow counts outside of this are nonsense (docs/protocol.md §1). */
export const MAX_FLOWS = 1024;

/**
 * Reads the reply to `REPLCONF capa dragonfly`: 3 elements from very old masters, 4 from most, 5 from new ones.
 * @returns what is wrong with it when it cannot be read
 */
export function parseMasterInfo(reply: Reply): MasterInfo | { readonly wrong: string } {
  const items = replyItems(reply);
  if (items === undefined || items.length < 3) return { wrong: "it is not an array of three or more elements" };
  const masterId = replyText(items[0]) ?? "";
  const syncId = replyText(items[1]) ?? "";
  const flowCount = replyInteger(items[2]) ?? 0;
  const protocolVersion = items.length > 3 ? replyInteger(items[3]) : 0;
  if (!/^[0-9A-Za-z]{40}$/.test(masterId)) return { wrong: "the master id is not 40 characters" };
  if (!/^SYNC\d{1,15}$/.test(syncId)) return { wrong: "the sync id is not of the form SYNC<n>" };
  if (flowCount < 1 || flowCount > MAX_FLOWS) return { wrong: `the number of flows is not between 1 and ${MAX_FLOWS}` };
  if (protocolVersion === undefined || protocolVersion < 0) return { wrong: "the protocol version is not a number" };
  return { masterId, syncId, flowCount, protocolVersion, lineageId: replyText(items[4]) };
}
