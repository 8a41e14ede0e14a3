/** A `JournalTranslator` for tests, with what it records within reach, and entries given as words. */
import { Slice } from "../../src/bytes/slice.ts";
import { JournalCommand } from "../../src/journal/journal-command.ts";
import { CommandEncoder } from "../../src/resp/command-encoder.ts";
import type { TargetCapabilities } from "../../src/target/capabilities.ts";
import { DROP_ALL, REDIS_70 } from "./capabilities.ts";
import type { FeaturePlan } from "../../src/target/features.ts";
import type { DocumentEdit } from "../../src/target/translate/journal-context.ts";
import { MemberDeadlines } from "../../src/target/translate/member-deadlines.ts";
import { JournalTranslator, type TranslateResult } from "../../src/target/translate/journal-translator.ts";
import { takeCommandLines, takeCommands } from "./parse-commands.ts";

export type Word = string | number | Buffer;

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
  readonly plan?: Partial<FeaturePlan>;
};

export class JournalTranslation {
  readonly encoder = new CommandEncoder(1 << 16);
  readonly translator: JournalTranslator;
  /** `kind db key`. */
  readonly losses: string[] = [];
  readonly unrunnable: string[] = [];
  readonly edits: DocumentEdit[] = [];
  readonly members = new MemberDeadlines();
  readonly foreign: { key: string; type: number; body: Buffer; expireAtMs: number; sticky: boolean; db: number }[] = [];
  now: number;

  constructor(options: JournalTranslationOptions = {}) {
    this.now = options.now ?? 1_700_000_000_000;
    this.translator = new JournalTranslator({
      encoder: this.encoder,
      capabilities: options.capabilities ?? REDIS_70,
      losses: { record: (kind, db, key) => void this.losses.push(`${kind} ${db} ${key.toText()}`) },
      clock: () => this.now,
      restoreForeign: ({ key, body, ...rest }) =>
        void this.foreign.push({ ...rest, key: key.toText(), body: body.toBuffer() }),
      plan: { ...DROP_ALL, ...options.plan },
      members: this.members,
      editDocument: (edit) => void this.edits.push(edit),
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
