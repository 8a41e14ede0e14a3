/**
 * Turns the journal entries of one flow into commands for a standalone target, in order. Sans-IO: it encodes, the caller sends. It keeps no
 * entry; the only state is the held deadlines. Never guesses: a command that is not in the table ends the run.
 */
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { TargetCapabilities } from "../capabilities.ts";
import type { FeaturePlan } from "../features.ts";
import type { LossRecorder } from "../losses.ts";
import { CommandIndex } from "./journal-command-index.ts";
import { JOURNAL_COMMANDS } from "./journal-command-table.ts";
import type { EditDocument, JournalContext, RestoreForeign, UnrunnableRecorder } from "./journal-context.ts";
import { HeldDeadlines } from "./journal-deadlines.ts";
import { applyMemberEffects } from "./member-deadline-effects.ts";
import type { MemberDeadlines } from "./member-deadlines.ts";
import { passEntry } from "./journal-words.ts";
import { checkBulk } from "./write-mode.ts";
import { refuseFeature } from "./refuse-feature.ts";

export type JournalTranslatorOptions = {
  /** Its `lsn` is set by the caller before each entry. */
  readonly encoder: CommandEncoder;
  readonly capabilities: TargetCapabilities;
  readonly losses: LossRecorder;
  /** Unix ms. */
  readonly clock: () => number;
  /** Writes a dump that the target's RESTORE does not load. */
  readonly restoreForeign: RestoreForeign;
  readonly unrunnable: UnrunnableRecorder;
  readonly plan: FeaturePlan;
  readonly editDocument: EditDocument;
  /** Shared with whatever writes the flow's snapshot. */
  readonly members: MemberDeadlines;
  /** Shared with whatever writes the flow's snapshot. */
  readonly deadlines?: HeldDeadlines;
  /** Whether this flow stands for what every flow carries alike (search indices): true, unless said otherwise. */
  readonly carriesGlobals?: boolean;
  /** The source's version as its stream tells it (`df-v1.40.1`), once it is known; the latest is assumed without. */
  readonly sourceVersion?: (() => string | undefined) | undefined;
};

/** "flush": nothing was encoded; the caller holds the flow at its barrier, and empties `command.db`, or all for FLUSHALL. */
export type TranslateResult = "done" | "flush";

const INDEX = new CommandIndex(JOURNAL_COMMANDS);
const MAX_NAME = 64;

export class JournalTranslator {
  readonly deadlines: HeldDeadlines;
  readonly #context: JournalContext;

  constructor(options: JournalTranslatorOptions) {
    this.deadlines = options.deadlines ?? new HeldDeadlines({ clock: options.clock });
    this.#context = { ...options, deadlines: this.deadlines, carriesGlobals: options.carriesGlobals ?? true };
  }

  /** Encodes what the entry becomes on the target: none, one or some commands. @throws UNKNOWN_COMMAND, VALUE_TOO_LONG */
  translate(command: JournalCommand): TranslateResult {
    const action = INDEX.find(command.arg(0));
    if (action === undefined) throw unknownCommand(command, "this version does not know it");
    checkArguments(command, this.#context.capabilities.maxBulkBytes);
    const { encoder, losses, members, plan } = this.#context;
    if (members.size > 0) applyMemberEffects(this.#context, command);
    switch (action.kind) {
      case "pass":
        encoder.select(command.db);
        passEntry(encoder, command);
        return "done";
      case "rewrite":
        encoder.select(command.db);
        action.rewrite(this.#context, command);
        return "done";
      case "drop":
        if (action.loss !== undefined) losses.record(action.loss, command.db, command.arg(1));
        return "done";
      case "unsupported":
        if (plan[action.feature] === "fail") refuseFeature(action.feature, command.db, command.arg(1));
        losses.record(action.feature, command.db, command.arg(1));
        return "done";
      case "flush":
        return "flush";
      case "refuse":
        throw unknownCommand(command, action.why);
    }
  }
}

/** The decoder's arguments stand one behind the other, so a look at both ends settles it nearly always. @throws VALUE_TOO_LONG */
function checkArguments(command: JournalCommand, maxBulkBytes: number): void {
  const { argc, db } = command;
  const first = command.arg(0);
  const last = command.arg(argc - 1);
  if (first.buf === last.buf && last.end - first.start <= maxBulkBytes) return;
  for (let i = 1; i < argc; i++) checkBulk(command.arg(i).length, maxBulkBytes, { db, key: command.arg(1) });
}

function unknownCommand(command: JournalCommand, why: string): Df2RedisError {
  const name = command.arg(0).toLatin1().slice(0, MAX_NAME);
  return new Df2RedisError("UNKNOWN_COMMAND", `the journal holds the command ${JSON.stringify(name)}: ${why}`, {
    context: { command: name, db: command.db, lsn: command.lsn },
  });
}
