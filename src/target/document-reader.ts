/**
 * Reads single strings back from the target: documents that are kept as text there and changed by us. One connection, opened when the first is
 * wanted, and again when it broke meanwhile: servers close those that were idle for long. Never writes; a reader of the ordered stream must
 * itself make sure that what it reads has been applied.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { Conversation } from "../net/conversation.ts";
import { peerError, peerName } from "../net/socket-errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { TargetConnectionOptions } from "./target-connection.ts";
import { isRetryableError } from "./translate/journal-error-class.ts";

export type DocumentReaderOptions = TargetConnectionOptions & {
  /** How long a read that the target cannot answer now is tried again; 0: not at all. */
  readonly retryMs: number;
};

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

export class DocumentReader {
  readonly #options: DocumentReaderOptions;
  #opening: Promise<Conversation> | undefined;
  #db = 0;
  /** Requests go out one after the other: SELECT and GET belong together. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DocumentReaderOptions) {
    this.#options = options;
  }

  /** The string under `key`, undefined when there is none. @throws TARGET_REJECTED when the target does not give it, whatever broke the connection */
  read(db: number, key: Buffer): Promise<string | undefined> {
    const reading = this.#last.then(() => this.#readOnceMore(db, key));
    this.#last = reading.catch(() => undefined);
    return reading;
  }

  close(): void {
    this.#opening?.then(
      (conversation) => conversation.destroy(),
      () => undefined,
    );
  }

  async #readOnceMore(db: number, key: Buffer): Promise<string | undefined> {
    const isFirst = this.#opening === undefined;
    try {
      return await this.#read(db, key);
    } catch (thrown) {
      if (isFirst || !(thrown instanceof Df2RedisError) || thrown.code !== "CONNECTION_LOST") throw thrown;
      this.#opening = undefined;
      this.#db = 0;
      return await this.#read(db, key);
    }
  }

  async #read(db: number, key: Buffer): Promise<string | undefined> {
    const conversation = await this.#open();
    if (db !== this.#db) this.#expect(conversation, "SELECT", await conversation.request("SELECT", String(db)));
    this.#db = db;
    const reply = this.#expect(conversation, "GET", await this.#get(conversation, key));
    return reply.type === "bulk" ? reply.bytes.toString() : undefined;
  }

  /** Asks again while the target says that it cannot answer now, as writes are tried again. */
  async #get(conversation: Conversation, key: Buffer): Promise<Reply> {
    const { retryMs, signal } = this.#options;
    const startedMs = performance.now();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const reply = await conversation.request("GET", key);
      const isLate = performance.now() - startedMs >= retryMs;
      if (reply.type !== "error" || isLate || !isRetryableError(reply.message)) return reply;
      await delay(pauseMs, undefined, signal === undefined ? {} : { signal });
    }
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
