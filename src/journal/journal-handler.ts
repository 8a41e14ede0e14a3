/** What the journal decoder tells its receiver. `command` is reused for the next entry. */
import type { JournalCommand } from "./journal-command.ts";

export interface JournalHandler {
  command(command: JournalCommand): void;
  /** The master wants an acknowledgement now. */
  ping(): void;
}
