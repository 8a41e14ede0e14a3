/** A `JournalTranslator` for tests, with what it records within reach, and entries given as words. */
import { Slice } from "../../src/bytes/slice.ts";
import { JournalCommand } from "../../src/journal/journal-command.ts";
import { CommandEncoder } from "../../src/resp/command-encoder.ts";
import type { TargetCapabilities } from "../../src/target/capabilities.ts";
import { DROP_ALL, REDIS_70 } from "./capabilities.ts";
import type { FeaturePlan } from "../../src/target/features.ts";
import type { DocumentEdit } from "../../src/target/translate/journal-context.ts";
import { HeldDeadlines, type HeldDeadlinesOptions } from "../../src/target/translate/journal-deadlines.ts";
import { MemberDeadlines, type MemberDeadlinesOptions } from "../../src/target/translate/member-deadlines.ts";
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
  /** Of the time before the flow has caught up. */
  readonly isCatchingUp?: boolean;
  readonly deadlines?: Partial<HeldDeadlinesOptions>;
  readonly members?: Partial<MemberDeadlinesOptions>;
  readonly plan?: Partial<FeaturePlan>;
  readonly carriesGlobals?: boolean;
  readonly sourceVersion?: string;
};

export class JournalTranslation {
  readonly encoder = new CommandEncoder(1 << 16);
  readonly translator: JournalTranslator;
  /** `kind db key`. */
  readonly losses: string[] = [];
  readonly unrunnable: string[] = [];
  readonly edits: DocumentEdit[] = [];
  readonly members: MemberDeadlines;
  readonly foreign: { key: string; type: number; body: Buffer; expireAtMs: number; sticky: boolean; db: number }[] = [];
  now: number;

  constructor(options: JournalTranslationOptions = {}) {
    this.now = options.now ?? 1_700_000_000_000;
    const plan = { ...DROP_ALL, ...options.plan };
    const commands = (options.capabilities ?? REDIS_70).commands;
    const deadlines = new HeldDeadlines({ clock: () => this.now, commands, ...options.deadlines });
    if (options.isCatchingUp !== true) deadlines.beginStable();
    this.members = new MemberDeadlines({ plan, isNear: (at) => deadlines.isNear(at), ...options.members });
    this.translator = new JournalTranslator({
      encoder: this.encoder,
      capabilities: options.capabilities ?? REDIS_70,
      losses: { record: (kind, db, key) => void this.losses.push(`${kind} ${db} ${key.toText()}`) },
      clock: () => this.now,
      restoreForeign: ({ key, body, ...rest }) =>
        void this.foreign.push({ ...rest, key: key.toText(), body: body.toBuffer() }),
      plan,
      deadlines,
      carriesGlobals: options.carriesGlobals ?? true,
      sourceVersion: () => options.sourceVersion,
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
