/** The `name:value` lines of an INFO reply, section titles left out. */
import { type Reply, replyText } from "../resp/reply.ts";

export function parseInfo(reply: Reply): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of (replyText(reply) ?? "").split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** Keys by database from the `dbN:keys=…` lines; databases without keys are left out. */
export function keysInDatabases(info: ReadonlyMap<string, string>): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const [name, value] of info) {
    const db = /^db(\d+)$/.exec(name)?.[1];
    const keys = Number(/(?:^|,)keys=(\d+)/.exec(value)?.[1] ?? 0);
    if (db !== undefined && keys > 0) counts.set(Number(db), keys);
  }
  return counts;
}

/** A field that is a whole number; undefined for anything else. */
export function infoNumber(info: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = info.get(name);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
