/**
 * Reads single strings back from the target: documents that are kept as text there and changed by us. One connection, opened when the first is
 * wanted. Never writes; a reader of the ordered stream must itself make sure that what it reads has been applied.
 */
import { Conversation } from "../net/conversation.ts";
import { peerError, peerName } from "../net/socket-errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { TargetConnectionOptions } from "./target-connection.ts";

export class DocumentReader {
  readonly #options: TargetConnectionOptions;
  #opening: Promise<Conversation> | undefined;
  #db = 0;
  /** Requests go out one after the other: SELECT and GET belong together. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TargetConnectionOptions) {
    this.#options = options;
  }

  /** The string under `key`, undefined when there is none. @throws TARGET_REJECTED when the target does not give it, whatever broke the connection */
  read(db: number, key: Buffer): Promise<string | undefined> {
    const reading = this.#last.then(() => this.#read(db, key));
    this.#last = reading.catch(() => undefined);
    return reading;
  }

  close(): void {
    this.#opening?.then(
      (conversation) => conversation.destroy(),
      () => undefined,
    );
  }

  async #read(db: number, key: Buffer): Promise<string | undefined> {
    const conversation = await this.#open();
    if (db !== this.#db) this.#expect(conversation, "SELECT", await conversation.request("SELECT", String(db)));
    this.#db = db;
    const reply = this.#expect(conversation, "GET", await conversation.request("GET", key));
    return reply.type === "bulk" ? reply.bytes.toString() : undefined;
  }

  #open(): Promise<Conversation> {
    this.#opening ??= Conversation.open(this.#options.endpoint, { ...this.#options, role: "target" });
    return this.#opening;
  }

  #expect(conversation: Conversation, doing: string, reply: Reply): Reply {
    if (reply.type !== "error") return reply;
    const { peer } = conversation;
    throw peerError("TARGET_REJECTED", peer, `The ${peerName(peer)} refused ${doing} of a document: ${reply.message}`);
  }
}
