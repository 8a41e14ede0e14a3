/**
 * What a rewrite of a journal entry works with. The translator owns it; the entry and its slices are the decoder's and are gone after the
 * rewrite returns. Sans-IO.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { TargetCapabilities } from "../capabilities.ts";
import type { LossRecorder } from "../losses.ts";
import type { HeldDeadlines } from "./journal-deadlines.ts";

/** A dump of a type that the target's RESTORE does not load; the receiver replaces the key by native commands, or drops it. */
export type ForeignDump = {
  readonly db: number;
  readonly key: Slice;
  /** RDB type byte; JSON of old masters is given as 30. */
  readonly type: number;
  /** The object's body, without type and footer. */
  readonly body: Slice;
  /** Unix ms to set on the target, or -1. It has been through `HeldDeadlines.settle` already. */
  readonly expireAtMs: number;
  readonly sticky: boolean;
};

export type RestoreForeign = (dump: ForeignDump) => void;

/** Told about an entry that no server can run as it is written; nothing is encoded for it. `why` has no values in it. */
export type UnrunnableRecorder = (command: JournalCommand, why: string) => void;

export type JournalContext = {
  readonly encoder: CommandEncoder;
  readonly capabilities: TargetCapabilities;
  readonly losses: LossRecorder;
  /** Unix ms. */
  readonly clock: () => number;
  readonly deadlines: HeldDeadlines;
  readonly restoreForeign: RestoreForeign;
  readonly unrunnable: UnrunnableRecorder;
};

/** Encodes what an entry becomes. The database is selected already. */
export type Rewrite = (context: JournalContext, command: JournalCommand) => void;
