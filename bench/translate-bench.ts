/** Decode, translate and encode without a socket: keys of a snapshot, and entries of a journal, per CPU-second. */
import { DEFAULT_DECODE_LIMITS } from "../src/bytes/decode-limits.ts";
import type { Slice } from "../src/bytes/slice.ts";
import type { JournalCommand } from "../src/journal/journal-command.ts";
import { OP_COMMAND, OP_SELECT } from "../src/journal/opcodes.ts";
import { CommandEncoder } from "../src/resp/command-encoder.ts";
import { FlowDecoder, type FlowHandler } from "../src/source/flow-decoder.ts";
import type { TargetCapabilities } from "../src/target/capabilities.ts";
import { restoreSupport } from "../src/target/restore-support.ts";
import { HeldDeadlines } from "../src/target/translate/journal-deadlines.ts";
import { uniformPlan } from "../src/target/features.ts";
import { MemberDeadlines } from "../src/target/translate/member-deadlines.ts";
import { JournalTranslator } from "../src/target/translate/journal-translator.ts";
import { SnapshotTranslator } from "../src/target/translate/snapshot-translator.ts";
import type { StreamedValue } from "../src/target/translate/streamed-value.ts";
import { ByteWriter } from "./byte-writer.ts";
import { medianCpuSeconds } from "./cpu-rate.ts";
import { type DatasetOptions, generateObjects, type ObjectKind, partText } from "./dataset.ts";
import { decodeFlow, makeFlowBytes, pushAll } from "./flow-bytes.ts";

const BATCH_BYTES = 256 * 1024;
const IDENTITY = { product: "redis", version: "7.0.15", redisVersion: "7.0.15" } as const;

export type TranslateResult = { readonly what: string; readonly perCpuSecond: number };

/** Encodes and forgets: each batch counts as answered at once. */
class Sink extends SnapshotTranslator implements FlowHandler<StreamedValue> {
  readonly #encoder: CommandEncoder;
  readonly #journal: JournalTranslator;
  commands = 0;

  constructor(encoder: CommandEncoder, capabilities: TargetCapabilities) {
    const losses = { record: (kind: string, _db: number, _key: Slice) => fail(`a loss of kind ${kind}`) };
    const members = new MemberDeadlines();
    const plan = uniformPlan("fail");
    super({ encoder, capabilities, losses, plan, members, isFull: () => false, countKey: () => {} });
    this.#encoder = encoder;
    this.#journal = new JournalTranslator({
      encoder,
      capabilities,
      losses,
      clock: Date.now,
      deadlines: new HeldDeadlines({ clock: Date.now }),
      restoreForeign: () => fail("a dump in the journal"),
      unrunnable: () => fail("an entry that cannot run"),
      plan,
      members,
      editDocument: () => fail("a JSON document"),
    });
  }

  override isFull(): boolean {
    return this.#encoder.byteLength >= BATCH_BYTES;
  }

  /** Takes the batch away. */
  drain(): void {
    const batch = this.#encoder.take();
    if (batch === undefined) return;
    this.commands += batch.count;
    this.#encoder.release(batch);
  }

  command(command: JournalCommand): void {
    this.#encoder.lsn = command.lsn;
    this.#journal.translate(command);
  }

  ping(): void {}
  fullSyncEnd(): void {}
  snapshotEnd(): void {}
}

function fail(what: string): never {
  throw new Error(`the generated data holds ${what}`);
}

function newSink(): Sink {
  const support = restoreSupport(IDENTITY);
  if (support === undefined) return fail("no version of Redis");
  return new Sink(new CommandEncoder(BATCH_BYTES), {
    ...IDENTITY,
    ...support,
    databases: 16,
    keys: 0,
    tellsKeys: true,
    keysByDatabase: new Map(),
    commands: new Set(["RESTORE", "EVAL"]),
    maxBulkBytes: 512 * 1024 * 1024,
  });
}

export function benchSnapshot(options: { readonly keys: number; readonly rounds: number }): TranslateResult[] {
  const kinds: readonly (readonly [string, ObjectKind, number])[] = [
    ["100-byte strings as SET", "string", options.keys],
    ["10-field hashes as RESTORE", "hash", Math.ceil(options.keys / 4)],
    ["20-member zsets as RESTORE", "zset", Math.ceil(options.keys / 4)],
  ];
  return kinds.map(([what, kind, keys]) => ({
    what,
    perCpuSecond: snapshotRate({ keys, kinds: [kind] }, options.rounds),
  }));
}

function snapshotRate(dataset: DatasetOptions, rounds: number): number {
  const flow = makeFlowBytes(dataset, "lz4");
  const seconds = medianCpuSeconds(rounds, () => {
    const sink = newSink();
    decodeFlow(flow, sink, () => sink.drain());
    sink.drain();
    if (sink.commands !== dataset.keys) throw new Error(`${sink.commands} commands for ${dataset.keys} keys`);
  });
  return dataset.keys / seconds;
}

type Entry = (i: number) => readonly Buffer[];

export function benchJournal(options: { readonly entries: number; readonly rounds: number }): TranslateResult[] {
  const values = [...generateObjects({ keys: 256, kinds: ["string"] })].map(({ parts }) => parts[0] as Buffer);
  const hashes = [...generateObjects({ keys: 256, kinds: ["hash"] })].map(({ parts }) => parts.map(partText));
  const key = (i: number): Buffer => Buffer.from(`key:${String(i).padStart(9, "0")}`);
  const [set, incr, hset] = ["SET", "INCR", "HSET"].map((name) => Buffer.from(name)) as [Buffer, Buffer, Buffer];
  const kinds: readonly (readonly [string, Entry])[] = [
    ["journal: SET of 100 bytes", (i) => [set, key(i), values[i % 256] as Buffer]],
    ["journal: INCR", (i) => [incr, key(i)]],
    ["journal: HSET of 10 fields", (i) => [hset, key(i), ...(hashes[i % 256] ?? [])]],
  ];
  return kinds.map(([what, entry]) => ({ what, perCpuSecond: journalRate(entry, options) }));
}

function journalRate(entry: Entry, { entries, rounds }: { readonly entries: number; readonly rounds: number }): number {
  const bytes = journalBytes(entry, entries);
  const seconds = medianCpuSeconds(rounds, () => {
    const sink = newSink();
    const decoder = new FlowDecoder({
      flow: 0,
      start: { kind: "partial", lsn: 0 },
      handler: sink,
      limits: DEFAULT_DECODE_LIMITS,
      bodyLimitBytes: 0,
    });
    pushAll(decoder, bytes, () => sink.drain());
    sink.drain();
    if (sink.commands !== entries) throw new Error(`${sink.commands} commands for ${entries} entries`);
  });
  return entries / seconds;
}

/** As a master of today writes it (docs/protocol.md §5): each entry with its own SELECT. */
function journalBytes(entry: Entry, entries: number): Buffer {
  const out = new ByteWriter();
  for (let i = 0; i < entries; i++) {
    const args = entry(i);
    for (const n of [OP_SELECT, 0, OP_COMMAND, 0, 1, args.length, args.reduce((sum, arg) => sum + arg.length, 0)])
      out.len(n);
    for (const arg of args) out.string(arg);
  }
  return Buffer.from(out.bytes());
}
