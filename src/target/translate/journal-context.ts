/**
 * What a rewrite of a journal entry works with. The translator owns it; the entry and its slices are the decoder's and are gone after the
 * rewrite returns. Sans-IO.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { TargetCapabilities } from "../capabilities.ts";
import type { FeaturePlan } from "../features.ts";
import type { LossRecorder } from "../losses.ts";
import type { HeldDeadlines } from "./journal-deadlines.ts";
import type { DocumentChange } from "./json/document-change.ts";
import type { MemberDeadlines } from "./member-deadlines.ts";

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

/**
 * A change of a document that the target holds as a string. The receiver holds the flow, reads the string (undefined: no such key), calls
 * `change` and writes what it says, a deadline kept; then the flow goes on. Owns all its bytes.
 */
export type DocumentEdit = {
  readonly db: number;
  readonly key: Buffer;
  /** Of the entry. */
  readonly lsn: number;
  /** Its upper-case name and all behind it, for messages. */
  readonly words: readonly string[];
  readonly change: (text: string | undefined) => DocumentChange;
};

export type EditDocument = (edit: DocumentEdit) => void;

export type JournalContext = {
  readonly encoder: CommandEncoder;
  readonly capabilities: TargetCapabilities;
  readonly losses: LossRecorder;
  /** Unix ms. */
  readonly clock: () => number;
  readonly deadlines: HeldDeadlines;
  readonly restoreForeign: RestoreForeign;
  readonly unrunnable: UnrunnableRecorder;
  readonly plan: FeaturePlan;
  readonly editDocument: EditDocument;
  readonly members: MemberDeadlines;
  /** Whether this flow stands for what every flow carries alike (search indices); true for one flow of a session. */
  readonly carriesGlobals: boolean;
  /** The source's version as its stream tells it (`df-v1.40.1`), once it is known; the latest is assumed without. */
  readonly sourceVersion?: (() => string | undefined) | undefined;
};

/** Encodes what an entry becomes. The database is selected already. */
export type Rewrite = (context: JournalContext, command: JournalCommand) => void;
