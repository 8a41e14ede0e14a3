/**
 * Counters of all flows in one SharedArrayBuffer: each worker writes those of its own flows, the main thread reads them for progress
 * and reports. Written once per batch, never per key. Plain 8-byte stores: aligned ones are whole on every platform that Node runs on,
 * and a reader that sees the previous batch's value is right, too.
 */
const FIELDS = [
  "keys",
  "journalEntries",
  "receivedBytes",
  "lsn",
  "appliedLsn",
  "commands",
  "losses",
  "rejected",
  "caughtUp",
  "overflowed",
  "encodedMs",
] as const;

/**
 * `caughtUp`: 1 once everything that arrived was encoded after the end of the snapshot. `overflowed`: 1 while held deadlines wait for a scan of the
 * target. `encodedMs`: Unix ms up to which everything that arrived is encoded, 0 while not known. `lsn` and `appliedLsn` are -1 before the journal starts; `commands` are those of the flow's worker, kept under its first flow.
 */
export type FlowField = (typeof FIELDS)[number];

const INDEX = Object.fromEntries(FIELDS.map((field, i) => [field, i])) as Readonly<Record<FlowField, number>>;

export class FlowCounters {
  readonly buffer: SharedArrayBuffer;
  readonly flows: number;
  readonly #values: Float64Array;

  constructor(flows: number, buffer?: SharedArrayBuffer) {
    this.flows = flows;
    this.buffer = buffer ?? new SharedArrayBuffer(flows * FIELDS.length * 8);
    this.#values = new Float64Array(this.buffer);
    if (buffer !== undefined) return;
    for (let flow = 0; flow < flows; flow++) {
      this.set(flow, "lsn", -1);
      this.set(flow, "appliedLsn", -1);
    }
  }

  get(flow: number, field: FlowField): number {
    return this.#values[flow * FIELDS.length + INDEX[field]] ?? 0;
  }

  set(flow: number, field: FlowField, value: number): void {
    this.#values[flow * FIELDS.length + INDEX[field]] = value;
  }

  add(flow: number, field: FlowField, value: number): void {
    this.set(flow, field, this.get(flow, field) + value);
  }

  sum(field: FlowField): number {
    let total = 0;
    for (let flow = 0; flow < this.flows; flow++) total += this.get(flow, field);
    return total;
  }

  /** Entries received and not yet applied; undefined while a flow's snapshot is not applied, since its LSN then says nothing about entries. */
  lag(): number | undefined {
    let lag = 0;
    for (let flow = 0; flow < this.flows; flow++) {
      const applied = this.get(flow, "appliedLsn");
      if (applied < 0) return undefined;
      lag += this.get(flow, "lsn") - applied;
    }
    return lag;
  }

  /** Per flow the LSN of the next entry to be received. */
  receivedLsns(): number[] {
    return Array.from({ length: this.flows }, (_, flow) => this.get(flow, "lsn"));
  }

  /** Per flow the LSN before which all entries are applied. */
  appliedLsns(): (number | undefined)[] {
    return Array.from({ length: this.flows }, (_, flow) => {
      const lsn = this.get(flow, "appliedLsn");
      return lsn < 0 ? undefined : lsn;
    });
  }
}
