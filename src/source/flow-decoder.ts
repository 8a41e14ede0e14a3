/**
 * Decodes all that a master sends on one flow after its reply to DFLY FLOW: for a full sync the RDB stream, the EOF token and the stable
 * journal; for a partial sync the stable journal alone (docs/protocol.md §2). Sans-IO: bytes go in by `push`, `decode` tells the handler.
 *
 * Owns a copy of the bytes that are not decoded yet. Every error it throws names the flow, the offset in its stream and, where known, the key.
 */
import { Cursor } from "../bytes/cursor.ts";
import type { DecodeLimits } from "../bytes/decode-limits.ts";
import { NEEDS_MORE } from "../bytes/needs-more.ts";
import type { Slice } from "../bytes/slice.ts";
import { StreamBuffer } from "../bytes/stream-buffer.ts";
import { Df2RedisError, asDf2RedisError } from "../errors/df2redis-error.ts";
import { JournalDecoder } from "../journal/journal-decoder.ts";
import type { JournalHandler } from "../journal/journal-handler.ts";
import { keyText } from "../observability/key-text.ts";
import { RdbDecoder } from "../rdb/rdb-decoder.ts";
import type { RdbHandler, RdbStreamEvents } from "../rdb/rdb-handler.ts";

export interface FlowHandler<T> extends RdbHandler<T>, JournalHandler {
  /** FULLSYNC_END: the snapshot's objects are complete; journal blobs may follow until STARTSTABLE. */
  fullSyncEnd(): void;
  /** The EOF token arrived: the stable journal starts with the entry `lsn`. */
  snapshotEnd(lsn: number): void;
}

export type FlowStart =
  | { readonly kind: "full"; readonly eofToken: string }
  | { readonly kind: "partial"; readonly lsn: number };

export type FlowDecoderOptions<T> = {
  readonly flow: number;
  readonly start: FlowStart;
  readonly handler: FlowHandler<T>;
  readonly limits: DecodeLimits;
  readonly bodyLimitBytes: number;
};

/** Longer keys are cut in errors. */
const SHOWN_KEY_BYTES = 128;

type Phase = "snapshot" | "eofToken" | "journal";

const EMPTY = Buffer.alloc(0);

export class FlowDecoder<T> implements RdbStreamEvents {
  readonly #flow: number;
  readonly #handler: FlowHandler<T>;
  readonly #eofToken: Buffer;
  readonly #input = new StreamBuffer();
  /** Given up, with its buffers, once the snapshot is over. */
  #rdb: RdbDecoder<T> | undefined;
  readonly #blobJournal: JournalDecoder;
  readonly #blobCursor = new Cursor();
  readonly #journal: JournalDecoder;
  #phase: Phase;

  constructor(options: FlowDecoderOptions<T>) {
    const { flow, start, handler, limits, bodyLimitBytes } = options;
    this.#flow = flow;
    this.#handler = handler;
    this.#phase = start.kind === "full" ? "snapshot" : "journal";
    this.#eofToken = Buffer.from(start.kind === "full" ? start.eofToken : "");
    if (start.kind === "full")
      this.#rdb = new RdbDecoder(this.#input.cursor, { handler, events: this, limits, bodyLimitBytes });
    this.#blobJournal = new JournalDecoder(limits);
    this.#journal = new JournalDecoder(limits, start.kind === "partial" ? start.lsn : -1);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** LSN of the next journal entry, so all entries before it were told to the handler; -1 before the end of the snapshot. */
  get lsn(): number {
    return this.#journal.lsn;
  }

  /** Journal entries told so far: of the snapshot's blobs and of the stable stream. */
  get journalEntries(): number {
    return this.#blobJournal.entries + this.#journal.entries;
  }

  /** Bytes that arrived and wait to be decoded. */
  get pendingBytes(): number {
    return this.#input.pendingBytes;
  }

  /** Offset in the flow's stream of the first byte that is not decoded yet. */
  get offset(): number {
    return this.#input.cursor.offset;
  }

  /** Takes bytes in; they are copied. */
  push(chunk: Uint8Array): void {
    this.#input.append(chunk);
  }

  /** Decodes until bytes run out (`needsMore`) or the handler is full (`full`: call again when it is not). */
  decode(): "needsMore" | "full" {
    try {
      return this.#input.hasWanted ? this.#run() : "needsMore";
    } catch (thrown) {
      throw this.#locate(thrown);
    }
  }

  #run(): "needsMore" | "full" {
    if (this.#rdb !== undefined) {
      const status = this.#rdb.decode();
      if (status !== "end") return status;
      this.#rdb = undefined;
      this.#phase = "eofToken";
    }
    const { cursor } = this.#input;
    try {
      if (this.#phase === "eofToken") this.#readEofToken(cursor);
      while (!this.#handler.isFull()) {
        this.#journal.next(cursor, this.#handler);
        cursor.commit();
      }
      return "full";
    } catch (thrown) {
      if (thrown !== NEEDS_MORE) throw thrown;
      cursor.rewind();
      return "needsMore";
    }
  }

  #readEofToken(cursor: Cursor): void {
    const token = this.#eofToken;
    cursor.need(token.length);
    const end = cursor.pos + token.length;
    if (token.compare(cursor.buf, cursor.pos, end) !== 0)
      cursor.corrupt("the snapshot is not followed by the flow's EOF token");
    if (this.#journal.lsn < 0) cursor.corrupt("the snapshot ended without the LSN at which the journal starts");
    cursor.pos = end;
    cursor.commit();
    this.#phase = "journal";
    this.#handler.snapshotEnd(this.#journal.lsn);
  }

  journalBlob(count: number, entries: Slice): void {
    const cursor = this.#blobCursor.resetTo(entries.buf, entries.start, entries.end, this.offset);
    const journal = this.#blobJournal;
    const before = journal.entries;
    while (cursor.pos < cursor.hardEnd) journal.next(cursor, this.#handler);
    if (journal.entries - before !== count) {
      cursor.corrupt(`a journal blob of ${count} entries holds ${journal.entries - before}`);
    }
    cursor.resetTo(EMPTY, 0, 0);
  }

  fullSyncEnd(): void {
    this.#handler.fullSyncEnd();
  }

  journalOffset(lsn: number): void {
    if (lsn < 0) this.#input.cursor.corrupt("a negative LSN");
    this.#journal.lsn = lsn;
  }

  #locate(thrown: unknown): Df2RedisError {
    const error = asDf2RedisError(thrown);
    const inner = error.context["offset"];
    const { offset } = this;
    const known = error.context["key"];
    const text = typeof known === "string" ? known : this.#rdb?.currentKey;
    const key = text === undefined ? undefined : keyText(Buffer.from(text), SHOWN_KEY_BYTES);
    const located = new Df2RedisError(
      error.code,
      `flow ${this.#flow}, offset ${offset}${keyPart(key)}: ${error.message}`,
      {
        context: {
          ...error.context,
          flow: this.#flow,
          offset,
          ...(inner === undefined || inner === offset ? {} : { innerOffset: inner }),
          ...(key === undefined ? {} : { key }),
        },
        cause: error.cause,
      },
    );
    if (error.stack !== undefined) located.stack = error.stack;
    return located;
  }
}

function keyPart(key: string | undefined): string {
  return key === undefined ? "" : `, key "${key}"`;
}
