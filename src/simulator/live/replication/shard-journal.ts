/**
 * One shard's journal: gives every record its LSN, keeps the latest ones for partial syncs, and hands each to its consumers, in the same turn of the
 * event loop. Like the real master's it does nothing until the first replica comes, and then goes on for good. LSNs are exact below 2^53.
 */
import type { JournalRecord } from "../shard.ts";
import { encodeCommand, encodePing, type JournalForm } from "./journal-encoder.ts";

export type JournalConsumer = {
  /** `bytes` is one entry, with its SELECT; shared by all consumers, so never written to. */
  onEntry(lsn: number, bytes: Buffer): void;
};

const FIRST_LSN = 1;

export class ShardJournal {
  readonly #backlogEntries: number;
  readonly #form: JournalForm | undefined;
  readonly #consumers = new Set<JournalConsumer>();
  /** A ring: entry `lsn` stands at `lsn % length`. */
  readonly #backlog: Buffer[] = [];
  #isActive = false;
  #oldest: number;
  #next: number;

  /** @param firstLsn of a master that was promoted from a replica: where its former master's journal stood */
  constructor(options: { readonly backlogEntries: number; readonly firstLsn?: number; readonly form?: JournalForm }) {
    this.#backlogEntries = options.backlogEntries;
    this.#form = options.form;
    this.#next = options.firstLsn ?? FIRST_LSN;
    this.#oldest = this.#next;
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  /** LSN of the next entry. */
  get lsn(): number {
    return this.#next;
  }

  start(): void {
    this.#isActive = true;
  }

  record(record: JournalRecord): void {
    if (this.#isActive) this.#append(encodeCommand(record, this.#form));
  }

  ping(): void {
    if (this.#isActive) this.#append(encodePing());
  }

  /** Whether a replica that wants `lsn` next can have all from there. */
  canServe(lsn: number): boolean {
    return lsn === this.#next || (lsn >= this.#oldest && lsn < this.#next);
  }

  /** An entry that `canServe` promised. */
  entry(lsn: number): Buffer | undefined {
    return lsn < this.#oldest || lsn >= this.#next ? undefined : this.#backlog[lsn % this.#backlogEntries];
  }

  addConsumer(consumer: JournalConsumer): void {
    this.#consumers.add(consumer);
  }

  removeConsumer(consumer: JournalConsumer): void {
    this.#consumers.delete(consumer);
  }

  #append(bytes: Buffer): void {
    const lsn = this.#next++;
    if (this.#backlogEntries > 0) this.#backlog[lsn % this.#backlogEntries] = bytes;
    this.#oldest = Math.max(this.#oldest, this.#next - this.#backlogEntries);
    for (const consumer of this.#consumers) consumer.onEntry(lsn, bytes);
  }
}
