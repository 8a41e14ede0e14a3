/** How many databases a server has, and how many keys are in each. Where it hides that, they are selected one by one. */
import type { Inquiry } from "../net/inquiry.ts";
import { replyInteger } from "../resp/reply.ts";

/** As many as a Redis has by default are tried where CONFIG is hidden. */
const DEFAULT_DATABASES = 16;

/** More are not selected one by one. */
const MAX_WALKED = 1024;

export async function countDatabases(inquiry: Inquiry): Promise<number> {
  const databases = Number(await inquiry.setting("databases"));
  const isTold = Number.isSafeInteger(databases) && databases > 0;
  return isTold && (await canSelect(inquiry, databases - 1)) ? databases : await countSelectable(inquiry);
}

/** A setting may speak of databases that a proxy in front or our user's rights do not let us have. */
async function canSelect({ conversation }: Inquiry, db: number): Promise<boolean> {
  if (db === 0) return true;
  const reply = await conversation.request("SELECT", String(db));
  await conversation.request("SELECT", "0");
  return reply.type !== "error";
}

/** Never assumed: the server refuses a SELECT of a database that is not there, but takes the writes behind it into another one. */
async function countSelectable({ conversation }: Inquiry): Promise<number> {
  let databases = 1;
  while (databases < DEFAULT_DATABASES) {
    const reply = await conversation.request("SELECT", String(databases));
    if (reply.type === "error") break;
    databases++;
  }
  await conversation.request("SELECT", "0");
  return databases;
}

/** By DBSIZE in each database; undefined when that is hidden. Databases without keys are left out. */
export async function countKeys(inquiry: Inquiry, databases: number): Promise<ReadonlyMap<number, number> | undefined> {
  const counts = new Map<number, number>();
  for (let db = 0; db < Math.min(databases, MAX_WALKED); db++) {
    const selected = db === 0 || (await inquiry.ask("SELECT", String(db))) !== undefined;
    const keys = selected ? replyInteger(await inquiry.ask("DBSIZE")) : undefined;
    if (keys === undefined) return undefined;
    if (keys > 0) counts.set(db, keys);
  }
  if (databases > 1) await inquiry.ask("SELECT", "0");
  return counts;
}
