/**
 * Cuts a master's recorded bytes on a control connection into its replies, each verbatim. Sans-IO; the pieces are views of `bytes`.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";

export function splitReplies(bytes: Buffer): Buffer[] {
  const replies: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = replyEnd(bytes, at);
    replies.push(bytes.subarray(at, end));
    at = end;
  }
  return replies;
}

function replyEnd(bytes: Buffer, start: number): number {
  const lineEnd = bytes.indexOf("\r\n", start, "latin1");
  if (lineEnd < 0) throw new Df2RedisError("STREAM_CORRUPT", `A recorded reply has no end at offset ${start}.`);
  const kind = bytes[start];
  const count = Number(bytes.toString("latin1", start + 1, lineEnd));
  let end = lineEnd + 2;
  if (kind === DOLLAR) return count < 0 ? end : end + count + 2;
  if (kind === STAR) for (let i = 0; i < count; i++) end = replyEnd(bytes, end);
  return end;
}

const DOLLAR = 36;
const STAR = 42;
