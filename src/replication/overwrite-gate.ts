/**
 * `conflict.policy: overwrite`. What the target held before makes room at the first touch, so that nothing of the source's mixes with it:
 *
 * - an object of the snapshot replaces its key as a whole anyway (SET, RESTORE REPLACE, or DEL before native commands), so claiming it is enough;
 * - an entry of the journal gets an `UNLINK` before it for each of its keys that is still the target's own, be it written or only read: that value is
 *   not the source's. If the source has the key, its object has replaced the old value before, or comes later with this entry's effect in
 *   it and replaces everything; if it does not, the entry must meet no key.
 *
 * The claim comes before anything is encoded: the sweep relies on that (unclaimed-deleter.ts).
 */
import type { Slice } from "../bytes/slice.ts";
import type { JournalCommand } from "../journal/journal-command.ts";
import type { ObjectHeader } from "../rdb/rdb-handler.ts";
import type { CommandEncoder } from "../resp/command-encoder.ts";
import type { OwnedKeys } from "../target/owned-keys.ts";
import type { MovedKey } from "../target/translate/move-key.ts";
import { CommandPlaces } from "./command-places.ts";
import type { ConflictGate, ConflictGateOptions } from "./conflict-gate.ts";

const UNLINK = Buffer.from("*2\r\n$6\r\nUNLINK\r\n");

export class OverwriteGate implements ConflictGate {
  readonly #owned: OwnedKeys;
  readonly #encoder: CommandEncoder;
  readonly #places = new CommandPlaces((db, key) => this.#makeRoom(db, key));

  constructor({ owned, encoder }: Pick<ConflictGateOptions, "owned" | "encoder">) {
    this.#owned = owned;
    this.#encoder = encoder;
  }

  object({ db, key }: Pick<ObjectHeader, "db" | "key">): "write" {
    if (this.#owned.remaining > 0) this.#owned.claim(db, key);
    return "write";
  }

  command(command: JournalCommand): JournalCommand {
    if (this.#owned.remaining > 0) this.#places.forEach(command);
    return command;
  }

  moved({ from, to }: MovedKey): "write" {
    this.#makeRoom(from.db, from.key);
    this.#makeRoom(to.db, to.key);
    return "write";
  }

  #makeRoom(db: number, key: Slice): void {
    if (this.#owned.remaining === 0 || !this.#owned.claim(db, key)) return;
    this.#encoder.select(db);
    this.#encoder.beginEncoded(UNLINK);
    this.#encoder.arg(key);
  }
}
