/** Opens the connection of a `TargetWriter`: connects, logs in, makes sure that commands are answered, and gives the socket away. */
import type { Endpoint } from "../config/endpoint.ts";
import { Conversation, type Detached } from "../net/conversation.ts";
import { serverRefusal } from "../net/server-words.ts";
import { peerError, peerName } from "../net/socket-errors.ts";

export type TargetConnectionOptions = {
  readonly endpoint: Endpoint;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
};

export async function openTargetConnection(options: TargetConnectionOptions): Promise<Detached> {
  const conversation = await Conversation.open(options.endpoint, { ...options, role: "target" });
  try {
    const reply = await conversation.request("PING");
    if (reply.type === "error") {
      const words = reply.message;
      const message = `The ${peerName(conversation.peer)} refused PING: ${words}`;
      throw (
        serverRefusal(conversation.peer, "PING", words) ?? peerError("TARGET_UNSUITABLE", conversation.peer, message)
      );
    }
    // Only for whoever looks at CLIENT LIST: a user may lack the right to do it.
    return await conversation.requestAndDetach("CLIENT", "SETNAME", "df2redis");
  } catch (thrown) {
    conversation.destroy();
    throw thrown;
  }
}
