/**
 * Questions to a server that may refuse any of them: managed services hide commands, and users have ACLs. A refusal is noted and is no
 * error; only a broken connection is. Asks nothing by itself.
 */
import { type Reply, replyItems, replyText } from "../resp/reply.ts";
import type { Conversation, RequestWord } from "./conversation.ts";

export class Inquiry {
  readonly conversation: Conversation;
  /** The server's words by request, e.g. "CONFIG GET" → "NOPERM …". */
  readonly refusals = new Map<string, string>();

  constructor(conversation: Conversation) {
    this.conversation = conversation;
  }

  /** undefined when the server refuses. The refusal is noted under the words that are text. */
  async ask(...words: readonly RequestWord[]): Promise<Reply | undefined> {
    const reply = await this.conversation.request(...words);
    if (reply.type !== "error") return reply;
    this.refusals.set(
      words
        .slice(0, SUBCOMMANDS.has(String(words[0])) ? 2 : 1)
        .map(String)
        .join(" "),
      reply.message,
    );
    return undefined;
  }

  /** The value of one setting; undefined when it is hidden or not there. */
  async setting(name: string): Promise<string | undefined> {
    const items = replyItems(await this.ask("CONFIG", "GET", name));
    return replyText(items?.[0])?.toLowerCase() === name ? replyText(items?.[1]) : undefined;
  }
}

const SUBCOMMANDS: ReadonlySet<string> = new Set(["CONFIG", "MODULE", "MEMORY", "CLIENT", "SCRIPT"]);
