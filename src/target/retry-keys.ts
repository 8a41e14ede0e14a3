/**
 * The keys that a sent command may read or write, each with its database, for the one question whether two commands may change places. Pure.
 * On the safe side: of a command that is not known every argument counts as a key. Used for windows with a refused command only.
 */
import { Slice } from "../bytes/slice.ts";
import { JournalCommand } from "../journal/journal-command.ts";
import { commandKeys, forEachSortPattern } from "./translate/command-keys.ts";

export type SentKeys = {
  /** `<db> <key as latin1>` */
  readonly keys: readonly string[];
  /** It reads keys that its words do not name: SORT … BY pattern. Then it may change places with nothing. */
  readonly isOpen: boolean;
};

/** @param words name and arguments */
export function keysOf(name: string, words: readonly Buffer[], db: number): SentKeys {
  const command = asCommand(words);
  const keys: string[] = [];
  const add = (index: number, inDb: number | string): void => {
    keys.push(`${inDb} ${command.arg(index).toLatin1()}`);
  };
  const spec = commandKeys(command);
  if (spec === undefined) for (let i = 1; i < words.length; i++) add(i, db);
  else spec.forEach(command, (index) => add(index, db));
  // The one command that writes to two databases.
  if (name === "MOVE" && words.length > 2) add(1, command.arg(2).toLatin1());
  let isOpen = false;
  if (name === "SORT") forEachSortPattern(command, () => (isOpen = true));
  return { keys, isOpen };
}

function asCommand(words: readonly Buffer[]): JournalCommand {
  const command = new JournalCommand();
  command.argc = words.length;
  for (const word of words) command.args.push(new Slice().set(word, 0, word.length));
  return command;
}
