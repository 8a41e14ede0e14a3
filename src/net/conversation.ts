/**
 * A connection on which requests are answered one by one, in order: handshakes, probes, control commands. Logs in by itself when the
 * endpoint has a password. When the talking is over, `requestAndDetach` hands the socket on with every byte that followed the last reply.
 */
import type { Endpoint } from "../config/endpoint.ts";
import { asDf2RedisError, Df2RedisError } from "../errors/df2redis-error.ts";
import { encodeRequest } from "../resp/encode-request.ts";
import { describeReply, type Reply } from "../resp/reply.ts";
import { ReplyDecoder } from "../resp/reply-decoder.ts";
import { Deadline } from "./deadline.ts";
import type { PeerRole } from "./peer-role.ts";
import { guessWhatAnswers, serverRefusal } from "./server-words.ts";
import { type NetSocket, openSocket } from "./socket.ts";
import { abortedError, type Peer, peerContext, peerError, peerName } from "./socket-errors.ts";

export type ConversationOptions = {
  readonly role: PeerRole;
  readonly connectTimeoutMs: number;
  /** How long one request may wait for its reply. */
  readonly replyTimeoutMs: number;
  readonly readBufferBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The connection ended. Requests under way were rejected before. Not called after `requestAndDetach`. */
  onClose?(error: Df2RedisError | undefined): void;
};

export type Detached = {
  readonly reply: Reply;
  /** Paused. The receiver sets its handlers, deals with `leftover`, then resumes. */
  readonly socket: NetSocket;
  /** What followed the reply; owned by the receiver. */
  readonly leftover: Buffer;
};

/** Bytes for what may not be text, such as keys. */
export type RequestWord = string | Uint8Array;

/** Requests whose second word may be shown, too. */
const WITH_SUBCOMMAND: ReadonlySet<string> = new Set(["REPLCONF", "DFLY", "INFO", "CONFIG"]);

type Waiting = {
  readonly doing: string;
  readonly deadline: Deadline;
  readonly detach: boolean;
  readonly resolve: (detached: Detached) => void;
  readonly reject: (error: Df2RedisError) => void;
};

export class Conversation {
  readonly peer: Peer;
  readonly #options: ConversationOptions;
  readonly #decoder = new ReplyDecoder();
  #socket: NetSocket | undefined;
  #waiting: Waiting[] = [];
  #closed: Df2RedisError | undefined;
  #firstBytes: Buffer | undefined;
  #replies = 0;
  #detached = false;

  private constructor(endpoint: Endpoint, options: ConversationOptions) {
    this.peer = { endpoint, role: options.role };
    this.#options = options;
  }

  /** Connects, and logs in if the endpoint has a password. */
  static async open(endpoint: Endpoint, options: ConversationOptions): Promise<Conversation> {
    const conversation = new Conversation(endpoint, options);
    conversation.#socket = await openSocket(endpoint, {
      role: options.role,
      connectTimeoutMs: options.connectTimeoutMs,
      signal: options.signal,
      readBufferBytes: options.readBufferBytes ?? 64 * 1024,
      onData: (chunk) => conversation.#onData(chunk),
      onClose: (error) => conversation.#onClose(error),
    });
    try {
      await conversation.#logIn(endpoint);
    } catch (thrown) {
      conversation.#socket.destroy();
      throw thrown;
    }
    return conversation;
  }

  /** The reply, an error reply included. Rejects when none comes. */
  async request(...args: readonly RequestWord[]): Promise<Reply> {
    return (await this.#send(args, false)).reply;
  }

  /** The last request: stops reading right behind its reply and gives the socket away. */
  requestAndDetach(...args: readonly RequestWord[]): Promise<Detached> {
    return this.#send(args, true);
  }

  close(): void {
    this.#socket?.end();
  }

  destroy(error?: Df2RedisError): void {
    this.#socket?.destroy(error);
  }

  async #logIn(endpoint: Endpoint): Promise<void> {
    if (endpoint.password === undefined) return;
    const user = endpoint.user === undefined ? [] : [endpoint.user];
    const reply = await this.request("AUTH", ...user, endpoint.password.reveal());
    if (reply.type === "simple") return;
    const words = reply.type === "error" ? reply.message : describeReply(reply);
    throw (
      serverRefusal(this.peer, "AUTH", words) ??
      peerError(
        "AUTH_FAILED",
        this.peer,
        `The ${peerName(this.peer)} refused the login. It answered AUTH with: ${words}`,
      )
    );
  }

  #send(args: readonly RequestWord[], detach: boolean): Promise<Detached> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket;
      if (this.#closed !== undefined || socket === undefined) {
        reject(this.#closed ?? abortedError(this.peer, undefined));
        return;
      }
      const doing = requestName(args);
      const deadline = new Deadline(this.#options.replyTimeoutMs, () => this.#onTimeout(doing));
      this.#waiting.push({ doing, deadline, detach, resolve, reject });
      socket.write(encodeRequest(args));
    });
  }

  #onData(chunk: Buffer): void {
    this.#firstBytes ??= Buffer.from(chunk.subarray(0, 64));
    this.#decoder.push(chunk);
    try {
      while (this.#socket !== undefined) {
        const reply = this.#decoder.next();
        if (reply === undefined) return;
        this.#replies++;
        this.#onReply(reply, this.#socket);
      }
    } catch (thrown) {
      this.#giveUp(this.#nonsense(asDf2RedisError(thrown)));
    }
  }

  #onReply(reply: Reply, socket: NetSocket): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) throw this.#unasked(reply);
    waiting.deadline.met();
    if (!waiting.detach) return waiting.resolve({ reply, socket, leftover: Buffer.alloc(0) });
    socket.pause();
    this.#detached = true;
    this.#socket = undefined;
    this.#closed = abortedError(this.peer, undefined);
    const leftover = this.#decoder.takeRemaining();
    // Should it close before the receiver's `setHandlers`, the socket tells the receiver then.
    waiting.resolve({ reply, socket, leftover });
  }

  /** A server says why it closes a connection without having been asked (maxclients, protected mode). */
  #unasked(reply: Reply): Df2RedisError {
    const words = reply.type === "error" ? reply.message : describeReply(reply);
    return (
      serverRefusal(this.peer, "the connection", words) ??
      peerError(
        "PROTOCOL_VIOLATION",
        this.peer,
        `The ${peerName(this.peer)} sent a reply that nothing asked for: ${words}`,
      )
    );
  }

  #nonsense(error: Df2RedisError): Df2RedisError {
    // What was said unasked names the peer already.
    if (error.context["role"] !== undefined) return error;
    if (error.code === "INTERNAL") return error.withContext(peerContext(this.peer));
    if (error.code !== "PROTOCOL_VIOLATION" || this.#replies > 0) return this.#noReply(error);
    const guess =
      guessWhatAnswers(this.#firstBytes ?? Buffer.alloc(0)) ?? "what answers there does not speak the Redis protocol";
    const message = `The ${peerName(this.peer)} sent nonsense: ${guess}. Check the address and the port.`;
    return peerError("PROTOCOL_VIOLATION", this.peer, message, error);
  }

  #noReply(error: Df2RedisError): Df2RedisError {
    const message = `The ${peerName(this.peer)} sent something that is no reply: ${error.message}`;
    const context = { ...peerContext(this.peer), ...error.context };
    return new Df2RedisError(error.code, message, { context, cause: error });
  }

  #onTimeout(doing: string): void {
    const text = `The ${peerName(this.peer)} did not answer ${doing} within ${this.#options.replyTimeoutMs} ms.`;
    const hint =
      this.#replies === 0 && this.peer.endpoint.tls === undefined ? " If that port speaks TLS, turn TLS on." : "";
    this.#giveUp(peerError("TIMEOUT", this.peer, text + hint));
  }

  /** Tells those who wait at once: before the socket is closed, other connections may hear of it from the other side and overtake the reason. */
  #giveUp(error: Df2RedisError): void {
    this.#closed ??= error;
    this.#rejectWaiting(error);
    this.#socket?.destroy(error);
  }

  #rejectWaiting(error: Df2RedisError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      one.deadline.met();
      one.reject(error);
    }
  }

  #onClose(error: Df2RedisError | undefined): void {
    if (this.#detached) return;
    this.#closed = this.#explainClose(error) ?? abortedError(this.peer, undefined);
    this.#rejectWaiting(this.#closed);
    this.#options.onClose?.(error === undefined ? undefined : this.#closed);
  }

  /** Closed before the first reply: nearly always a TLS port or a proxy without a server behind it. */
  #explainClose(error: Df2RedisError | undefined): Df2RedisError | undefined {
    if (error?.code !== "CONNECTION_LOST" || this.#replies > 0 || this.peer.endpoint.tls !== undefined) return error;
    const text = `The ${peerName(this.peer)} closed the connection before it answered anything. Does that port speak TLS, or is a proxy in between?`;
    return peerError("CONNECTION_LOST", this.peer, text, error);
  }
}

/** The words of a request that may be shown: never those of AUTH. */
function requestName(args: readonly RequestWord[]): string {
  const words = WITH_SUBCOMMAND.has(String(args[0])) ? 2 : 1;
  return args.slice(0, words).join(" ");
}
