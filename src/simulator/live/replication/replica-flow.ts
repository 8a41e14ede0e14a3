/**
 * One flow of a replica: its connection, first its snapshot, then its stable journal. Owns what it writes to the socket; every byte of a flow goes
 * through its output, in order.
 */
import type { Socket } from "node:net";
import type { Shard } from "../shard.ts";
import { FlowOutput } from "./flow-output.ts";
import { JournalStreamer } from "./journal-streamer.ts";
import { rdbEnd } from "./rdb-header.ts";
import type { ShardJournal } from "./shard-journal.ts";
import { ShardSnapshot } from "./shard-snapshot.ts";
import { type SnapshotFormat, SnapshotSerializer } from "./snapshot-serializer.ts";

export type ReplicaFlowOptions = {
  readonly shard: Shard;
  readonly journal: ShardJournal;
  readonly socket: Socket;
  readonly eofToken: string;
  /** LSN of the first entry of a partial sync; undefined: a full one. */
  readonly partialLsn: number | undefined;
  readonly nowMs: () => number;
  readonly onProgress: () => void;
};

export class ReplicaFlow {
  /** What the replica has acknowledged. */
  ackedLsn = 0;
  readonly partialLsn: number | undefined;
  readonly #shard: Shard;
  readonly #journal: ShardJournal;
  readonly #eofToken: string;
  readonly #nowMs: () => number;
  readonly #output: FlowOutput;
  #snapshot: ShardSnapshot | undefined;
  #streamer: JournalStreamer | undefined;
  #overSinceMs: number | undefined;

  constructor(options: ReplicaFlowOptions) {
    this.partialLsn = options.partialLsn;
    this.#shard = options.shard;
    this.#journal = options.journal;
    this.#eofToken = options.eofToken;
    this.#nowMs = options.nowMs;
    this.#output = new FlowOutput(options);
  }

  get isWalking(): boolean {
    return this.#snapshot?.isWalking ?? false;
  }

  /** Entries that the replica has not acknowledged. */
  get lag(): number {
    return this.#journal.lsn - this.ackedLsn;
  }

  get pendingBytes(): number {
    return this.#streamer?.pendingBytes ?? this.#output.pendingBytes;
  }

  /** Takes the snapshot's moment; `walk` then writes it. */
  startSnapshot(format: SnapshotFormat, header: Buffer): void {
    this.#output.write(header);
    const serializer = new SnapshotSerializer(format, (blob) => this.#output.write(blob));
    const pause = (): Promise<void> => this.#pause();
    this.#snapshot = new ShardSnapshot({ shard: this.#shard, journal: this.#journal, serializer, pause });
    this.#snapshot.start();
  }

  async walk(): Promise<void> {
    await this.#snapshot?.walk();
  }

  /** Ends the snapshot, if there is one, and begins the stable journal. False when a partial sync has become impossible. */
  startStable(): boolean {
    if (this.#snapshot !== undefined) {
      this.#snapshot.finish();
      this.#snapshot = undefined;
      this.#output.write(rdbEnd());
      this.#output.write(Buffer.from(this.#eofToken, "latin1"));
    }
    this.#streamer = new JournalStreamer({ journal: this.#journal, output: this.#output, nowMs: this.#nowMs });
    return this.#streamer.start(this.partialLsn);
  }

  /**
   * Whether the replica is too slow to be kept: in the snapshot when one write is stuck for `timeoutMs`, later when more than `limitBytes` have
   * been waiting for that long.
   */
  isStalled(limits: { readonly nowMs: number; readonly timeoutMs: number; readonly limitBytes: number }): boolean {
    const { nowMs, timeoutMs, limitBytes } = limits;
    if (this.#streamer === undefined) return this.#output.stuckMs(nowMs) > timeoutMs;
    if (this.pendingBytes < limitBytes) this.#overSinceMs = undefined;
    else this.#overSinceMs ??= nowMs;
    return this.#overSinceMs !== undefined && nowMs - this.#overSinceMs > timeoutMs;
  }

  close(): void {
    this.#snapshot?.stop();
    this.#streamer?.stop();
    this.#output.close();
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    await this.#output.drained();
  }
}
