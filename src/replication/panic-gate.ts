/**
 * `conflict.policy: panic`: the first key that the target held before and that the source has, too, ends the run. An entry that only reads such a
 * key counts: what it writes would be made of the target's value.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { JournalCommand } from "../journal/journal-command.ts";
import type { Slice } from "../bytes/slice.ts";
import { keyText } from "../observability/key-text.ts";
import type { ObjectHeader } from "../rdb/rdb-handler.ts";
import type { OwnedKeys } from "../target/owned-keys.ts";
import type { MovedKey } from "../target/translate/move-key.ts";
import { CommandPlaces } from "./command-places.ts";
import type { ConflictGate, ConflictGateOptions } from "./conflict-gate.ts";

export class PanicGate implements ConflictGate {
  readonly #owned: OwnedKeys;
  readonly #places = new CommandPlaces((db, key) => this.#check(db, key));
  /** The entry in hand; undefined while it is an object. */
  #command: JournalCommand | undefined;

  constructor({ owned }: Pick<ConflictGateOptions, "owned">) {
    this.#owned = owned;
  }

  object({ db, key }: Pick<ObjectHeader, "db" | "key">): "write" {
    this.#command = undefined;
    this.#check(db, key);
    return "write";
  }

  command(command: JournalCommand): JournalCommand {
    this.#command = command;
    this.#places.forEach(command);
    return command;
  }

  moved({ from, to }: MovedKey, entry: JournalCommand): "write" {
    this.#command = entry;
    this.#check(from.db, from.key);
    this.#check(to.db, to.key);
    return "write";
  }

  #check(db: number, key: Slice): void {
    if (this.#owned.has(db, key)) throw conflict(db, key, this.#command);
  }
}

function conflict(db: number, key: Slice, command: JournalCommand | undefined): Df2RedisError {
  const text = keyText(key.view());
  const name = command?.arg(0).toLatin1().toUpperCase();
  const who = name === undefined ? "the source has it, too" : `the source's ${name} touches it`;
  return new Df2RedisError(
    "KEY_CONFLICT",
    `the target held the key "${text}" in database ${db} before the run, and ${who}; conflict.policy is panic`,
    { context: { db, key: text, ...(command === undefined ? {} : { command: name, lsn: command.lsn }) } },
  );
}
