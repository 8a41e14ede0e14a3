/** A journal entry that the target answered with an error, and that no server could have run (docs/protocol.md §5). */
export type RejectedEntry = {
  readonly flow: number;
  /** -1 for an entry inside the snapshot. */
  readonly lsn: number;
  readonly db: number;
  readonly command: string;
  /** Bytes that are not UTF-8 are shown as \xNN. */
  readonly key: string;
  /** The target's words, or why the entry was not sent. */
  readonly error: string;
};
