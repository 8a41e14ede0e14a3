/** A `SnapshotTranslator` for tests, with what it counts and loses within reach, and RDB bytes turned into commands through the real decoder. */
import { DEFAULT_DECODE_LIMITS } from "../../src/bytes/decode-limits.ts";
import { Slice } from "../../src/bytes/slice.ts";
import { StreamBuffer } from "../../src/bytes/stream-buffer.ts";
import { RdbDecoder } from "../../src/rdb/rdb-decoder.ts";
import type { ObjectHeader } from "../../src/rdb/rdb-handler.ts";
import { CommandEncoder } from "../../src/resp/command-encoder.ts";
import { MemberDeadlines } from "../../src/target/translate/member-deadlines.ts";
import { SnapshotTranslator, type SnapshotTranslatorOptions } from "../../src/target/translate/snapshot-translator.ts";
import { DROP_ALL, REDIS_70 } from "./capabilities.ts";
import { takeCommands } from "./parse-commands.ts";

export type Loss = { readonly kind: string; readonly db: number; readonly key: string };

export type TranslatorKit = {
  readonly translator: SnapshotTranslator;
  readonly encoder: CommandEncoder;
  readonly losses: Loss[];
  readonly counts: Record<string, number>;
};

export function translatorKit(options: Partial<SnapshotTranslatorOptions> = {}): TranslatorKit {
  const encoder = options.encoder ?? new CommandEncoder(4096);
  const losses: Loss[] = [];
  const counts: Record<string, number> = {};
  const translator = new SnapshotTranslator({
    encoder,
    capabilities: REDIS_70,
    plan: DROP_ALL,
    members: new MemberDeadlines(),
    losses: { record: (kind, db, key) => losses.push({ kind, db, key: key.toText() }) },
    isFull: () => false,
    countKey: (name) => (counts[name] = (counts[name] ?? 0) + 1),
    ...options,
  });
  return { translator, encoder, losses, counts };
}

export function objectHeader(
  fields: Partial<Omit<ObjectHeader, "key">> & { readonly key?: string } = {},
): ObjectHeader {
  return {
    type: 0,
    db: 0,
    expireAtMs: -1,
    sticky: false,
    mcFlags: -1,
    ...fields,
    key: Slice.from(fields.key ?? "key"),
  };
}

export type TranslateOptions = Partial<SnapshotTranslatorOptions> & {
  /** 0 makes every value take the native path. */
  readonly bodyLimitBytes?: number;
};

/** @returns the commands, and what was lost and counted on the way */
export function translateRdb(
  rdb: Buffer,
  options: TranslateOptions = {},
): { commands: Buffer[][]; kit: TranslatorKit } {
  const { bodyLimitBytes = 1 << 20, ...rest } = options;
  const kit = translatorKit(rest);
  const input = new StreamBuffer();
  input.append(rdb);
  const events = { journalBlob: ignore, fullSyncEnd: ignore, journalOffset: ignore };
  const decoder = new RdbDecoder(input.cursor, {
    handler: kit.translator,
    events,
    limits: DEFAULT_DECODE_LIMITS,
    bodyLimitBytes,
  });
  const status = decoder.decode();
  if (status !== "end") throw new Error(`decoding ended with ${status}`);
  return { commands: takeCommands(kit.encoder), kit };
}

function ignore(): void {}
