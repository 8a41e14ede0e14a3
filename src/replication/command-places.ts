/**
 * The keys of a journal entry with the database of each: that of the entry, and for MOVE also the one that the key goes to, which no argument but the
 * number names. One per visitor; makes no object per entry.
 */
import type { Slice } from "../bytes/slice.ts";
import { JournalCommand } from "../journal/journal-command.ts";
import { commandKeys, type KeyAccess } from "../target/translate/command-keys.ts";
import { parseDecimal } from "../target/translate/journal-words.ts";

/** @param key the entry's: gone when the entry is */
export type VisitKeyPlace = (db: number, key: Slice, access: KeyAccess) => void;

export class CommandPlaces {
  readonly #visit: VisitKeyPlace;
  #command = new JournalCommand();

  constructor(visit: VisitKeyPlace) {
    this.#visit = visit;
  }

  /** Visits each key of the entry. None for a command that is not known: whoever runs it refuses it. */
  forEach(command: JournalCommand): void {
    const spec = commandKeys(command);
    if (spec === undefined) return;
    this.#command = command;
    spec.forEach(command, this.#ofEntry);
    const movedTo = moveDatabase(command);
    if (movedTo >= 0) this.#visit(movedTo, command.arg(1), "write");
  }

  readonly #ofEntry = (argIndex: number, access: KeyAccess): void => {
    this.#visit(this.#command.db, this.#command.arg(argIndex), access);
  };
}

/** Where `MOVE key db` moves to; -1 for any other command. */
function moveDatabase(command: JournalCommand): number {
  if (command.argc !== 3 || !command.arg(0).equalsIgnoreCase("MOVE")) return -1;
  const db = parseDecimal(command.arg(2));
  return Number.isSafeInteger(db) ? db : -1;
}
