/**
 * One flow: the connection that carries one shard's stream. Opened with `DFLY FLOW`; from then on its bytes are the stream's and go to the
 * handlers given to `attach`, from the first byte after the reply on, none lost and none out of order. It is not read before that.
 */
import type { Endpoint } from "../config/endpoint.ts";
import { asDf2RedisError, type Df2RedisError } from "../errors/df2redis-error.ts";
import { Conversation, type Detached } from "../net/conversation.ts";
import type { NetSocket } from "../net/socket.ts";
import { encodeRequest } from "../resp/encode-request.ts";
import { replyItems, replyText } from "../resp/reply.ts";
import { sourceRefusal, unexpectedReply } from "./source-words.ts";

const READ_BUFFER_BYTES = 512 * 1024;

export type OpenFlowOptions = {
  readonly endpoint: Endpoint;
  readonly masterId: string;
  readonly syncId: string;
  readonly flow: number;
  /** The LSN of the next entry wanted: asks for a partial sync. Exact below 2^53. */
  readonly lsn?: number | undefined;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly readBufferBytes?: number | undefined;
};

export type FlowHandlers = {
  /** `chunk` is valid only during the call. What it throws closes the flow and reaches `onClose`. */
  onData(chunk: Buffer): void;
  /** The flow is gone; no error when it was us who closed it. */
  onClose(error: Df2RedisError | undefined): void;
};

export async function openFlow(options: OpenFlowOptions): Promise<FlowConnection> {
  const conversation = await Conversation.open(options.endpoint, {
    role: "source",
    connectTimeoutMs: options.connectTimeoutMs,
    replyTimeoutMs: options.replyTimeoutMs,
    signal: options.signal,
    readBufferBytes: options.readBufferBytes ?? READ_BUFFER_BYTES,
  });
  const lsn = options.lsn === undefined ? [] : [String(options.lsn)];
  try {
    const request = ["DFLY", "FLOW", options.masterId, options.syncId, String(options.flow), ...lsn];
    const detached = await conversation.requestAndDetach(...request);
    return toFlow(options.flow, detached);
  } catch (thrown) {
    conversation.destroy();
    throw asDf2RedisError(thrown).withContext({ flow: options.flow });
  }
}

function toFlow(flow: number, detached: Detached): FlowConnection {
  const { reply, socket } = detached;
  const doing = "DFLY FLOW";
  try {
    if (reply.type === "error") throw sourceRefusal(socket.peer, doing, reply.message);
    const items = replyItems(reply);
    const kind = replyText(items?.[0]);
    const eofToken = replyText(items?.[1]) ?? "";
    if (kind !== "FULL" && kind !== "PARTIAL")
      throw unexpectedReply(socket.peer, doing, reply, "neither FULL nor PARTIAL");
    if (!/^[0-9a-f]{40}$/i.test(eofToken))
      throw unexpectedReply(socket.peer, doing, reply, "the end token is not 40 hex digits");
    return new FlowConnection({ flow, kind: kind === "FULL" ? "full" : "partial", eofToken, detached });
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
}

type FlowParts = {
  readonly flow: number;
  readonly kind: "full" | "partial";
  readonly eofToken: string;
  readonly detached: Detached;
};

export class FlowConnection {
  readonly flow: number;
  /** What the master will send: a snapshot, or the journal from the wanted LSN on. */
  readonly kind: "full" | "partial";
  /** The 40 bytes that stand between the snapshot and the journal. */
  readonly eofToken: string;
  readonly #socket: NetSocket;
  /** Bytes of the connection that came before the stream. */
  readonly #preambleBytes: number;
  #leftover: Buffer;
  #paused = false;
  #attached = false;

  constructor(parts: FlowParts) {
    this.flow = parts.flow;
    this.kind = parts.kind;
    this.eofToken = parts.eofToken;
    this.#socket = parts.detached.socket;
    this.#leftover = parts.detached.leftover;
    this.#preambleBytes = this.#socket.bytesRead - this.#leftover.length;
  }

  /** Bytes of the stream that were received. */
  get bytesRead(): number {
    return this.#socket.bytesRead - this.#preambleBytes;
  }

  /** Starts reading. What came right behind the reply is delivered before this returns. */
  attach(handlers: FlowHandlers): void {
    const leftover = this.#leftover;
    this.#leftover = Buffer.alloc(0);
    this.#attached = true;
    this.#socket.setHandlers(handlers);
    if (leftover.length > 0 && !this.#socket.closed) {
      try {
        handlers.onData(leftover);
      } catch (thrown) {
        this.#socket.destroy(asDf2RedisError(thrown));
      }
    }
    if (!this.#paused) this.#socket.resume();
  }

  /** Nothing is delivered from now on until `resume`; TCP holds the master back. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#attached) this.#socket.resume();
  }

  /** Tells the master that all entries below `lsn` have been applied (I3). No reply comes. */
  sendAck(lsn: number): void {
    this.#socket.write(encodeRequest(["REPLCONF", "ACK", String(lsn)]));
  }

  /** Sends what was written (the last acknowledgement), then closes. */
  end(): void {
    this.#socket.end();
  }

  destroy(error?: Df2RedisError): void {
    this.#socket.destroy(error);
  }
}
