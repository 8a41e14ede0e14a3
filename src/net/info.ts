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
