/**
 * What a Redis-like server's error replies mean to an operator, wherever they come up: while connecting, in the handshake, in the probe.
 * The server's own words are always part of the message.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { ErrorCode } from "../errors/codes.ts";
import { type Peer, peerContext, peerName } from "./socket-errors.ts";

type Meaning = { readonly code: ErrorCode; readonly text: string };

/**
 * @param doing what we asked for, e.g. "AUTH"; for the message
 * @returns undefined when the words have no general meaning; the caller then says what they mean at this point
 */
export function serverRefusal(peer: Peer, doing: string, words: string): Df2RedisError | undefined {
  const meaning = meaningOf(peer, doing, words);
  if (meaning === undefined) return undefined;
  return new Df2RedisError(meaning.code, `${meaning.text} It answered ${doing} with: ${words}`, {
    context: { ...peerContext(peer), request: doing, reply: words },
  });
}

function meaningOf(peer: Peer, doing: string, words: string): Meaning | undefined {
  const name = `The ${peerName(peer)}`;
  const user = peer.endpoint.user ?? "default";
  const notReady: ErrorCode = peer.role === "source" ? "SOURCE_REFUSED" : "TARGET_NOT_READY";
  if (words.startsWith("NOAUTH")) {
    return { code: "AUTH_FAILED", text: `${name} wants a password, and none was given.` };
  }
  if (words.startsWith("WRONGPASS") || /invalid password/i.test(words)) {
    return {
      code: "AUTH_FAILED",
      text: `${name} does not accept the password of user "${user}", or that user is disabled.`,
    };
  }
  if (words.startsWith("NOPERM")) {
    return {
      code: "AUTH_FAILED",
      text: `User "${user}" may not run ${doing} on the ${peerName(peer)}; widen its ACL.`,
    };
  }
  if (/without any password configured|no password is set/i.test(words)) {
    return { code: "AUTH_FAILED", text: `${name} has no password, but one was given; leave it out.` };
  }
  if (words.startsWith("DENIED")) {
    return {
      code: "AUTH_FAILED",
      text: `${name} is in protected mode and takes connections from its own machine only.`,
    };
  }
  if (words.startsWith("LOADING"))
    return { code: notReady, text: `${name} is still loading its data; try again when it is done.` };
  if (/max(imum)? number of clients/i.test(words)) {
    return { code: notReady, text: `${name} has no connection left (its maxclients is reached).` };
  }
  return undefined;
}

/** Names what answers when the first bytes are not RESP. */
export function guessWhatAnswers(firstBytes: Buffer): string | undefined {
  const text = firstBytes.toString("latin1", 0, 16);
  if (text.startsWith("HTTP/") || /^<(!DOCTYPE|html)/i.test(text)) return "an HTTP server answers there";
  if (text.startsWith("SSH-")) return "an SSH server answers there";
  if (firstBytes[0] === 0x15 && firstBytes[1] === 0x03) return "it speaks TLS on that port; turn TLS on for it";
  if (text.startsWith("220")) return "a mail or FTP server answers there";
  return undefined;
}
