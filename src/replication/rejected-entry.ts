/** A write that the target refused for good, or that no server could run (docs/refused-writes.md). Safe to show: no values. */
export type RejectedEntry = {
  readonly flow: number;
  /** -1 for what belongs to the snapshot. */
  readonly lsn: number;
  readonly db: number;
  readonly command: string;
  /** Bytes that are not UTF-8 are shown as \xNN; long keys are cut. */
  readonly key: string;
  /** The target's words, or why the entry was not sent. */
  readonly error: string;
  readonly class: RejectionClass;
};

/** `unrunnable`: no server could run the journal entry. `fatal`: the target refused what another server would have taken. */
export type RejectionClass = "unrunnable" | "fatal";

/** Its bytes, for the dead-letter file alone. */
export type RejectedBytes = {
  /** Whole; undefined for a command without one. */
  readonly key: Uint8Array | undefined;
  /** All arguments behind the command's name, values among them. Only with `errors.values`. */
  readonly args?: readonly Uint8Array[];
};
