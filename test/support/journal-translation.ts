/** A `JournalTranslator` for tests, with what it records within reach, and entries given as words. */
import { Slice } from "../../src/bytes/slice.ts";
import { JournalCommand } from "../../src/journal/journal-command.ts";
import { CommandEncoder } from "../../src/resp/command-encoder.ts";
import type { TargetCapabilities } from "../../src/target/capabilities.ts";
import { JournalTranslator, type TranslateResult } from "../../src/target/translate/journal-translator.ts";
import { takeCommandLines, takeCommands } from "./parse-commands.ts";

export type Word = string | number | Buffer;

export const REDIS_7_0: TargetCapabilities = {
  product: "redis",
  version: "7.0.15",
  rdbVersion: 10,
  restorableTypes: new Set([0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]),
  databases: 16,
  keys: 0,
};

export type EntryPlace = { readonly db?: number; readonly lsn?: number; readonly txid?: number };

export function journalCommand(words: readonly Word[], place: EntryPlace = {}): JournalCommand {
  const command = new JournalCommand();
  command.db = place.db ?? 0;
  command.lsn = place.lsn ?? 1;
  command.txid = place.txid ?? 0;
  command.argc = words.length;
  for (const word of words) command.args.push(Slice.from(Buffer.isBuffer(word) ? word : String(word)));
  return command;
}

export type JournalTranslationOptions = {
  readonly capabilities?: TargetCapabilities;
  readonly now?: number;
  readonly marginMs?: number;
};

export class JournalTranslation {
  readonly encoder = new CommandEncoder(1 << 16);
  readonly translator: JournalTranslator;
  /** `kind db key`. */
  readonly losses: string[] = [];
  readonly unrunnable: string[] = [];
  readonly foreign: { key: string; type: number; body: Buffer; expireAtMs: number; sticky: boolean; db: number }[] = [];
  now: number;

  constructor(options: JournalTranslationOptions = {}) {
    this.now = options.now ?? 1_700_000_000_000;
    this.translator = new JournalTranslator({
      encoder: this.encoder,
      capabilities: options.capabilities ?? REDIS_7_0,
      losses: { record: (kind, db, key) => void this.losses.push(`${kind} ${db} ${key.toText()}`) },
      clock: () => this.now,
      restoreForeign: ({ key, body, ...rest }) =>
        void this.foreign.push({ ...rest, key: key.toText(), body: body.toBuffer() }),
      unrunnable: (command, why) => void this.unrunnable.push(`${command.arg(0).toText()}: ${why}`),
    });
  }

  translate(words: readonly Word[], place: EntryPlace = {}): TranslateResult {
    return this.translator.translate(journalCommand(words, place));
  }

  /** The commands that the entry becomes, one line each, arguments separated by one space. */
  lines(...words: readonly Word[]): string[] {
    this.translate(words);
    return takeCommandLines(this.encoder);
  }

  commands(words: readonly Word[], place: EntryPlace = {}): Buffer[][] {
    this.translate(words, place);
    return takeCommands(this.encoder);
  }
}
