/**
 * The bytes of one flow that carries random keys: by the simulator's own serializer, whole or in chunks that lie between each other's, journal entries in
 * between, behind the cut, and in the stable journal. In which order, the random numbers decide; a key's own parts keep theirs.
 */
import { RDB_OPCODE_FULLSYNC_END, RDB_OPCODE_JOURNAL_OFFSET } from "../../src/rdb/opcodes.ts";
import type { CompressionMode } from "../../src/simulator/live/replication/blob-compressor.ts";
import { encodeCommand } from "../../src/simulator/live/replication/journal-encoder.ts";
import { rdbEnd, rdbHeader } from "../../src/simulator/live/replication/rdb-header.ts";
import { rdbProfile } from "../../src/simulator/live/replication/rdb-profile.ts";
import { type OpenObject, SnapshotSerializer } from "../../src/simulator/live/replication/snapshot-serializer.ts";
import type { KeyEntry } from "../../src/simulator/live/values.ts";
import type { SeededRandom } from "../support/hostile.ts";
import { EOF_TOKEN } from "../support/rdb-builder.ts";
import { journalOf } from "./journal-of-value.ts";

export type FlowKey = {
  readonly db: number;
  readonly entry: KeyEntry;
  /** How it comes: as an object, by the journal, or by the journal over an object of another value. */
  readonly way: "snapshot" | "journal" | { readonly over: KeyEntry };
};

export type FlowForm = {
  readonly version: "df-v1.27.4" | "df-v1.40.1";
  readonly compression: CompressionMode;
  readonly tagged: boolean;
  /** 0: values are not cut. */
  readonly maxChunkBytes: number;
};

const FIRST_LSN = 7;
const MOST_OPEN = 3;

export function flowOf(keys: readonly FlowKey[], form: FlowForm, random: SeededRandom): Buffer {
  return new FlowBuilder(form, random).build(keys);
}

class FlowBuilder {
  readonly #form: FlowForm;
  readonly #random: SeededRandom;
  readonly #blobs: Buffer[] = [];
  readonly #serializer: SnapshotSerializer;
  readonly #open: { readonly key: FlowKey; readonly object: OpenObject }[] = [];
  /** Entries of keys whose object is written, in the order of each key. */
  readonly #journals: Buffer[][] = [];

  constructor(form: FlowForm, random: SeededRandom) {
    this.#form = form;
    this.#random = random;
    const profile = rdbProfile(form.version);
    this.#serializer = new SnapshotSerializer({ ...form, profile }, (blob) => void this.#blobs.push(blob));
  }

  build(keys: readonly FlowKey[]): Buffer {
    const waiting = keys.filter(({ way }) => way !== "journal");
    for (const key of keys) if (key.way === "journal") this.#journal(key);
    while (waiting.length > 0 || this.#open.length > 0) this.#step(waiting);
    this.#serializer.flush();
    this.#serializer.raw(Buffer.from([RDB_OPCODE_FULLSYNC_END, 0, 0, 0, 0, 0, 0, 0, 0]));
    while (this.#random.below(4) > 0) this.#blob();
    const offset = Buffer.alloc(9);
    offset[0] = RDB_OPCODE_JOURNAL_OFFSET;
    offset.writeBigInt64LE(BigInt(FIRST_LSN), 1);
    this.#serializer.raw(offset);
    this.#serializer.flush();
    return Buffer.concat([this.#header(), ...this.#blobs, rdbEnd(), Buffer.from(EOF_TOKEN), ...this.#rest()]);
  }

  #header(): Buffer {
    const dragonflyVersion = this.#form.version;
    const facts = { flow: 0, shardCount: 1, nowMs: 1_800_000_000_000, usedBytes: 1, tableBytes: 1, scripts: [] };
    return rdbHeader({ ...facts, dragonflyVersion });
  }

  /** One piece of an object, or of a journal. */
  #step(waiting: FlowKey[]): void {
    const { isTagged } = this.#serializer;
    const canMix = isTagged || this.#open.length === 0;
    if (canMix && this.#random.below(4) === 0) this.#blob();
    const next = canMix && this.#open.length < MOST_OPEN ? waiting.shift() : undefined;
    if (next !== undefined) {
      const entry = typeof next.way === "object" ? next.way.over : next.entry;
      this.#open.push({ key: next, object: this.#serializer.begin(next.db, entry) });
      this.#advance(this.#open.length - 1);
    } else if (this.#open.length > 0) this.#advance(this.#random.below(this.#open.length));
    if (this.#open.length === 0) this.#serializer.flushIfLarge();
  }

  #advance(at: number): void {
    const [{ key, object } = {}] = this.#open.slice(at, at + 1);
    if (key === undefined || object === undefined || !this.#serializer.advance(object)) return;
    this.#open.splice(at, 1);
    if (typeof key.way === "object") this.#journal(key);
  }

  #journal({ db, entry }: FlowKey): void {
    const profile = rdbProfile(this.#form.version);
    const records = journalOf(entry, this.#random, profile);
    this.#journals.push(records.map((args) => encodeCommand({ db, txid: 1, args }, profile)));
  }

  #take(): Buffer | undefined {
    const at = this.#random.below(Math.max(1, this.#journals.length));
    const journal = this.#journals[at];
    const entry = journal?.shift();
    if (journal?.length === 0) this.#journals.splice(at, 1);
    return entry;
  }

  #blob(): void {
    const entry = this.#take();
    if (entry !== undefined) this.#serializer.journal(entry);
  }

  *#rest(): Generator<Buffer> {
    for (let entry = this.#take(); entry !== undefined; entry = this.#take()) yield entry;
  }
}
