/**
 * The control connection to a Dragonfly master: handshake, then the session's commands. Each request is a RESP array and is answered in
 * order. Decides nothing about the session: who may send SYNC or STARTSTABLE when is the replication layer's business (I1).
 */
import type { Endpoint } from "../config/endpoint.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { Conversation } from "../net/conversation.ts";
import { type Reply, replyInteger, replyItems } from "../resp/reply.ts";
import { shakeHands } from "./handshake.ts";
import type { MasterInfo } from "./master-info.ts";
import { sourceRefusal, unexpectedReply } from "./source-words.ts";

export type SourceControlOptions = {
  readonly endpoint: Endpoint;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What `INFO REPLICATION` on the master shows as our port. */
  readonly listeningPort?: number | undefined;
  /** What it shows as our address; undefined lets the master take it from the connection. */
  readonly announceAddress?: string | undefined;
  /** Tells the master which replica this is. */
  readonly clientId?: string | undefined;
  /** The connection ended after the handshake; no error when it was us. The master closes all flows as well. */
  onClose(error: Df2RedisError | undefined): void;
};

export class SourceControl {
  readonly master: MasterInfo;
  readonly #conversation: Conversation;

  private constructor(conversation: Conversation, master: MasterInfo) {
    this.#conversation = conversation;
    this.master = master;
  }

  /** Connects, logs in and shakes hands up to CLIENT-VERSION. */
  static async connect(options: SourceControlOptions): Promise<SourceControl> {
    let ready = false;
    const conversation = await Conversation.open(options.endpoint, {
      role: "source",
      connectTimeoutMs: options.connectTimeoutMs,
      replyTimeoutMs: options.replyTimeoutMs,
      signal: options.signal,
      // Before that, `connect` itself rejects.
      onClose: (error) => {
        if (ready) options.onClose(error);
      },
    });
    try {
      const master = await shakeHands(conversation, options);
      ready = true;
      return new SourceControl(conversation, master);
    } catch (thrown) {
      conversation.destroy();
      throw thrown;
    }
  }

  /** Any command; error replies are returned, not thrown. */
  command(...args: readonly string[]): Promise<Reply> {
    return this.#conversation.request(...args);
  }

  /** Every flow starts its snapshot. All flows must be open. */
  sync(): Promise<void> {
    return this.#expectOk("DFLY", "SYNC", this.master.syncId);
  }

  /** Every flow ends its snapshot and goes on with the journal. Only after every flow delivered FULLSYNC_END (I1). */
  startStable(): Promise<void> {
    return this.#expectOk("DFLY", "STARTSTABLE", this.master.syncId);
  }

  /** The master's current LSN per flow; 0 while no journal is active. */
  async replicaOffsets(): Promise<readonly number[]> {
    const reply = await this.command("DFLY", "REPLICAOFFSET");
    if (reply.type === "error") throw sourceRefusal(this.#conversation.peer, "DFLY REPLICAOFFSET", reply.message);
    const offsets = replyItems(reply)?.map((item) => replyInteger(item) ?? -1);
    if (offsets === undefined || offsets.some((lsn) => lsn < 0)) {
      throw unexpectedReply(this.#conversation.peer, "DFLY REPLICAOFFSET", reply);
    }
    return offsets;
  }

  close(): void {
    this.#conversation.close();
  }

  destroy(): void {
    this.#conversation.destroy();
  }

  async #expectOk(...args: readonly string[]): Promise<void> {
    const doing = args.slice(0, 2).join(" ");
    const reply = await this.command(...args);
    if (reply.type === "error") throw sourceRefusal(this.#conversation.peer, doing, reply.message);
    if (reply.type !== "simple" || reply.text !== "OK") throw unexpectedReply(this.#conversation.peer, doing, reply);
  }
}
