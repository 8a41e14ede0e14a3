/** Writes one key of a name that nobody has, and takes it away again. Should the connection break in between, the key's deadline removes it. */
import { randomBytes } from "node:crypto";
import type { Conversation } from "../net/conversation.ts";

const LIFETIME_MS = 10_000;

export async function tryWrite(conversation: Conversation): Promise<"written" | { readonly refused: string }> {
  const key = `df2redis:doctor:${randomBytes(8).toString("hex")}`;
  const requests = [
    ["SET", key, "df2redis doctor", "PX", String(LIFETIME_MS)],
    ["DEL", key],
  ] as const;
  for (const request of requests) {
    const reply = await conversation.request(...request);
    if (reply.type === "error") return { refused: `${request[0]}: ${reply.message}` };
  }
  return "written";
}
