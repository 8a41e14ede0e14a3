/**
 * Asks RESTORE which RDB versions it takes, without storing anything: the payload has a right checksum and a type that no server knows, so
 * the server refuses either its version ("DUMP payload version or checksum are wrong") or, having taken that, its content ("Bad data
 * format"; Redis src/cluster.c restoreCommand). What a server says of its own version can be wrong: forks and managed services.
 */
import { Crc64 } from "../codec/crc64.ts";
import type { Conversation } from "../net/conversation.ts";
import type { Reply } from "../resp/reply.ts";

/** The ones that we stamp; see restore-support.ts. */
export const STAMPED_RDB_VERSIONS = [9, 10, 11] as const;

const NO_TYPE = 0xf0;
const CRC_BYTES = 8;

/** Type byte, RDB version, CRC-64. */
export function probePayload(rdbVersion: number): Buffer {
  const payload = Buffer.alloc(1 + 2 + CRC_BYTES);
  payload[0] = NO_TYPE;
  payload.writeUInt16LE(rdbVersion, 1);
  new Crc64().update(payload, 0, payload.length - CRC_BYTES).writeLE(payload, payload.length - CRC_BYTES);
  return payload;
}

/** @returns undefined when one of the answers does not tell */
export async function findRestoreVersions(conversation: Conversation): Promise<readonly number[] | undefined> {
  const replies = await Promise.all(
    STAMPED_RDB_VERSIONS.map((version) =>
      conversation.request("RESTORE", "df2redis:probe", "0", probePayload(version)),
    ),
  );
  const takes = replies.map(takesVersion);
  return takes.includes(undefined) ? undefined : STAMPED_RDB_VERSIONS.filter((_, i) => takes[i] === true);
}

function takesVersion(reply: Reply): boolean | undefined {
  if (reply.type !== "error") return undefined;
  if (/bad data format/i.test(reply.message)) return true;
  return /payload version or checksum/i.test(reply.message) ? false : undefined;
}
