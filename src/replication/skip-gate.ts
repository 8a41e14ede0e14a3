/**
 * `conflict.policy: skip`. Keys that the target held before stay as they are, for the whole run: whatever the source writes to them is left out and
 * counted (`skippedKeys`). What remains of an entry that touches such keys and others:
 *
 * - several keys that are independent of each other: the entry cut down to the free ones;
 * - a value that moves from a free key to one of the target's: it leaves the free key;
 * - anything made of a key of the target's own: cannot be derived, since the source's value for it is not here. That is reported, not guessed at.
 */
import { Slice } from "../bytes/slice.ts";
import { JournalCommand } from "../journal/journal-command.ts";
import type { ObjectHeader } from "../rdb/rdb-handler.ts";
import type { LossRecorder } from "../target/losses.ts";
import type { OwnedKeys } from "../target/owned-keys.ts";
import { CommandIndex } from "../target/translate/journal-command-index.ts";
import type { MovedKey } from "../target/translate/move-key.ts";
import type { KeyAccess } from "../target/translate/command-keys.ts";
import { CommandPlaces } from "./command-places.ts";
import type { ConflictGate, ConflictGateOptions, UnderivableRecorder } from "./conflict-gate.ts";

/** The words of what is left when the destination is the target's own; undefined when the entry is malformed. */
type Leave = (command: JournalCommand) => readonly Slice[] | undefined;

type MixedRule =
  /** Keys at 1, 1 + step, …, each with the words up to the next. */
  | { readonly kind: "cut"; readonly step: number }
  /** From the key at 1 to the one at 2, whatever is there. */
  | { readonly kind: "leave"; readonly leave: Leave }
  /** It changes nothing. */
  | { readonly kind: "pass" };

const cut = (step: number): MixedRule => ({ kind: "cut", step });
const leaveBy = (leave: Leave): MixedRule => ({ kind: "leave", leave });

const DEL = Slice.from("DEL");
const SREM = Slice.from("SREM");
const LPOP = Slice.from("LPOP");
const RPOP = Slice.from("RPOP");

const delSource: Leave = (command) => (command.argc >= 3 ? [DEL, command.arg(1)] : undefined);
const removeMember: Leave = (command) => (command.argc === 4 ? [SREM, command.arg(1), command.arg(3)] : undefined);
const popRight: Leave = (command) => (command.argc >= 3 ? [RPOP, command.arg(1)] : undefined);
const popSide: Leave = (command) => {
  const side = command.arg(3);
  if (side.equalsIgnoreCase("LEFT")) return [LPOP, command.arg(1)];
  return side.equalsIgnoreCase("RIGHT") ? [RPOP, command.arg(1)] : undefined;
};

/**
 * Commands with keys of both kinds, if anything can be done about that. Not MSETNX and MOVE: a master journals them also when they did nothing,
 * because a key was there (Dragonfly src/server/string_family.cc CmdMSetNx, generic_family.cc Move), and whether it was cannot be seen here. Nor
 * RENAMENX, which a MOVE becomes when its databases are told apart by prefixes only.
 */
const MIXED = new CommandIndex<MixedRule>([
  ["DEL", cut(1)],
  ["UNLINK", cut(1)],
  ["STICK", cut(1)],
  ["MSET", cut(2)],
  ["JSON.MSET", cut(3)],
  ["RENAME", leaveBy(delSource)],
  ["SMOVE", leaveBy(removeMember)],
  ["LMOVE", leaveBy(popSide)],
  ["BLMOVE", leaveBy(popSide)],
  ["RPOPLPUSH", leaveBy(popRight)],
  ["BRPOPLPUSH", leaveBy(popRight)],
  ["PFCOUNT", { kind: "pass" }],
]);

const CONFLICTING =
  "it depends on a key that the target held before (conflict.policy: skip), so its result is not known here";

type SkipGateOptions = Pick<ConflictGateOptions, "owned" | "losses" | "underivable">;

export class SkipGate implements ConflictGate {
  readonly #owned: OwnedKeys;
  readonly #losses: LossRecorder;
  readonly #underivable: UnderivableRecorder;
  readonly #places = new CommandPlaces((db, key, access) => this.#look(db, key, access));
  readonly #writes = new CommandPlaces((db, key, access) => {
    if (access === "write") this.#countSkipped(db, key);
  });
  /** What is left of an entry. */
  readonly #left = new JournalCommand();
  #writtenOwned = 0;
  #writtenFree = 0;
  #readOwned = 0;

  constructor({ owned, losses, underivable }: SkipGateOptions) {
    this.#owned = owned;
    this.#losses = losses;
    this.#underivable = underivable;
  }

  object({ db, key }: Pick<ObjectHeader, "db" | "key">): "write" | "skip" {
    if (!this.#owned.has(db, key)) return "write";
    this.#losses.record("skippedKeys", db, key);
    return "skip";
  }

  command(command: JournalCommand): JournalCommand | undefined {
    this.#writtenOwned = 0;
    this.#writtenFree = 0;
    this.#readOwned = 0;
    this.#places.forEach(command);
    if (this.#writtenOwned === 0 && (this.#readOwned === 0 || this.#writtenFree === 0)) return command;
    if (this.#writtenFree > 0) return this.#mixed(command);
    this.#writes.forEach(command);
    return undefined;
  }

  moved({ from, to }: MovedKey, entry: JournalCommand): "write" | "skip" {
    const fromOwned = this.#owned.has(from.db, from.key);
    const toOwned = this.#owned.has(to.db, to.key);
    if (!fromOwned && !toOwned) return "write";
    if (fromOwned && toOwned) {
      this.#countSkipped(from.db, from.key);
      this.#countSkipped(to.db, to.key);
    } else this.#report(entry);
    return "skip";
  }

  #look(db: number, key: Slice, access: KeyAccess): void {
    const isOwned = this.#owned.has(db, key);
    if (access === "read") {
      if (isOwned) this.#readOwned++;
    } else if (isOwned) this.#writtenOwned++;
    else this.#writtenFree++;
  }

  /** Counts a write that is left out, if the key is the target's own. */
  #countSkipped(db: number, key: Slice): void {
    if (this.#owned.has(db, key)) this.#losses.record("skippedKeys", db, key);
  }

  #mixed(command: JournalCommand): JournalCommand | undefined {
    const rule = MIXED.find(command.arg(0));
    switch (rule?.kind) {
      case "cut":
        return this.#cut(command, rule.step);
      case "pass":
        return command;
      case "leave":
        return this.#leave(command, rule.leave);
      case undefined:
        return this.#report(command);
    }
  }

  #cut(command: JournalCommand, step: number): JournalCommand {
    this.#begin(command, command.arg(0));
    for (let i = 1; i < command.argc; i += step) {
      const key = command.arg(i);
      if (this.#owned.has(command.db, key)) this.#losses.record("skippedKeys", command.db, key);
      else for (let j = i; j < Math.min(i + step, command.argc); j++) this.#push(command.arg(j));
    }
    return this.#left;
  }

  /** The source of the move is free and its destination is not, or the other way round. */
  #leave(command: JournalCommand, leave: Leave): JournalCommand | undefined {
    if (this.#owned.has(command.db, command.arg(1))) return this.#report(command);
    const words = leave(command);
    const [name, ...args] = words ?? [];
    if (name === undefined) return this.#report(command);
    this.#writes.forEach(command);
    this.#begin(command, name);
    for (const arg of args) this.#push(arg);
    return this.#left;
  }

  #report(command: JournalCommand): undefined {
    this.#underivable(command, CONFLICTING);
  }

  #begin({ db, txid, lsn }: JournalCommand, name: Slice): void {
    const left = this.#left;
    left.db = db;
    left.txid = txid;
    left.lsn = lsn;
    left.argc = 0;
    this.#push(name);
  }

  #push(word: Slice): void {
    const { args, argc } = this.#left;
    const slot = (args[argc] ??= new Slice());
    slot.copyFrom(word);
    this.#left.argc++;
  }
}
