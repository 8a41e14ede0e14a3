/**
 * Puts what a flow's decoder hands out, objects' heads and journal entries, into the target's terms: another database, and keys with a prefix
 * (docs/databases.md). One per flow; there is none when the map changes nothing. What it returns is its own, reused, and valid until the next
 * call; arguments that stay as they are remain the decoder's slices. It never writes into the decoder's objects or bytes, and copies no key
 * where only the database changes.
 */
import { Slice } from "../bytes/slice.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { JournalCommand } from "../journal/journal-command.ts";
import { keyText } from "../observability/key-text.ts";
import type { ObjectHeader } from "../rdb/rdb-handler.ts";
import type { DatabaseMap, PlacedDatabase } from "./database-map.ts";
import { type KeyTouch, MergeGuard } from "./merge-guard.ts";
import { PrefixedWords } from "./prefixed-words.ts";
import { unrunnableSort } from "./sort-patterns.ts";
import { commandKeys, forEachSortPattern, type KeyAccess, type KeySpec } from "./translate/command-keys.ts";
import { CommandIndex } from "./translate/journal-command-index.ts";
import { parseDecimal } from "./translate/journal-words.ts";
import type { KeyName, MovedKey } from "./translate/move-key.ts";

/**
 * - `run`: translate `command`;
 * - `move`: encode `moved` (`encodeMovedKey`);
 * - `nothing`: the target is as it should be already;
 * - `unrunnable`: it cannot be said in the target's terms; `why` has no values in it.
 */
export type MappedEntry = "run" | "move" | "nothing" | "unrunnable";

export type KeyMapperOptions = {
  readonly map: DatabaseMap;
  /** This flow's share of conflict.memoryBytes; used when databases are merged. */
  readonly guardLimitBytes: number;
};

type Special = "move" | "copy" | "sort" | "flush" | "removeAll" | "removeFirst" | "removeWhole";

const SPECIAL = new CommandIndex<Special>([
  ["MOVE", "move"],
  ["COPY", "copy"],
  ["SORT", "sort"],
  ["FLUSHALL", "flush"],
  ["FLUSHDB", "flush"],
  ["DEL", "removeAll"],
  ["UNLINK", "removeAll"],
  ["GETDEL", "removeAll"],
  ["RENAME", "removeFirst"],
  ["RENAMENX", "removeFirst"],
  ["DELEX", "removeWhole"],
]);

const RENAMENX = Slice.from("RENAMENX");
const KEPT_ARGUMENTS = 4096;
const MOVE_WORDS = 3;
const NO_MOVE = "MOVE without a key and a database";
const COPY_TO_DATABASE = "COPY to another database, which no known source journals";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export class KeyMapper {
  /** The entry, after `run`. */
  readonly command = new JournalCommand();
  /** Where the key goes, after `move`. */
  readonly moved: MovedKey;
  /** After `unrunnable`. */
  why = "";
  readonly #map: DatabaseMap;
  readonly #guard: MergeGuard;
  readonly #header: Writable<ObjectHeader> = {
    type: 0,
    db: 0,
    key: new Slice(),
    expireAtMs: -1,
    sticky: false,
    mcFlags: -1,
  };
  readonly #from: Writable<KeyName> = { db: 0, key: new Slice() };
  readonly #to: Writable<KeyName> = { db: 0, key: new Slice() };
  readonly #headerKey = new PrefixedWords();
  readonly #words = new PrefixedWords();
  readonly #number = new Slice();
  /** The entry in hand, for the two visitors. */
  #entry = this.command;
  #place: PlacedDatabase;
  #special: Special | undefined;
  #bytes = 0;

  constructor({ map, guardLimitBytes }: KeyMapperOptions) {
    this.#map = map;
    this.#guard = new MergeGuard(guardLimitBytes);
    this.#place = map.place(0);
    this.moved = { from: this.#from, to: this.#to };
  }

  /** Keys of merged databases that are remembered. */
  get guardedKeys(): number {
    return this.#guard.size;
  }

  /** @throws KEY_CONFLICT, LIMIT_EXCEEDED */
  header(object: ObjectHeader): ObjectHeader {
    const { db, key } = object;
    const place = this.#map.place(db);
    this.#check(place, db, key, "write");
    const header = this.#header;
    header.type = object.type;
    header.db = place.db;
    header.expireAtMs = object.expireAtMs;
    header.sticky = object.sticky;
    header.mcFlags = object.mcFlags;
    header.key = key;
    if (place.prefix.length > 0) {
      this.#headerKey.start(place.prefix.length + key.length);
      header.key = this.#headerKey.add(place.prefix, key);
    }
    return header;
  }

  /** FLUSHALL and FLUSHDB keep the source's database: they are the barrier's business. @throws KEY_CONFLICT, LIMIT_EXCEEDED */
  map(command: JournalCommand): MappedEntry {
    const special = SPECIAL.find(command.arg(0));
    const place = this.#map.place(command.db);
    if (special === "move") return this.#mapMove(command, place);
    const why = whyUnrunnable(special, command, place);
    if (why !== undefined) return this.#unrunnable(why);
    this.#copy(command, special === "flush" ? command.db : place.db);
    const keys = isUntouched(place) ? undefined : commandKeys(command);
    if (keys !== undefined) {
      this.#entry = command;
      this.#place = place;
      this.#special = special;
      this.#mapKeys(command, keys);
    }
    return "run";
  }

  /** A flush was carried out. @param sourceDb -1 for all; a merged database cannot be flushed alone */
  flushed(sourceDb: number): void {
    if (sourceDb === -1) this.#guard.clear();
  }

  #copy(command: JournalCommand, db: number): void {
    const copy = this.command;
    const { argc, args } = command;
    if (copy.args.length > KEPT_ARGUMENTS) copy.args.length = 0;
    copy.db = db;
    copy.txid = command.txid;
    copy.lsn = command.lsn;
    copy.argc = argc;
    for (let i = 0; i < argc; i++) copy.args[i] = args[i] as Slice;
  }

  #mapKeys(command: JournalCommand, keys: KeySpec): void {
    this.#bytes = 0;
    keys.forEach(command, this.#measure);
    if (this.#place.prefix.length === 0) return;
    if (this.#special === "sort") forEachSortPattern(command, this.#measurePattern);
    this.#words.start(this.#bytes);
    keys.forEach(command, this.#prefix);
    if (this.#special === "sort") forEachSortPattern(command, this.#prefix);
  }

  readonly #measure = (index: number, access: KeyAccess): void => {
    const key = this.#entry.arg(index);
    this.#check(this.#place, this.#entry.db, key, touchOf(this.#special, this.#entry.argc, index, access));
    this.#measurePattern(index);
  };

  readonly #measurePattern = (index: number): void => {
    this.#bytes += this.#place.prefix.length + this.#entry.arg(index).length;
  };

  readonly #prefix = (index: number): void => {
    this.command.args[index] = this.#words.add(this.#place.prefix, this.#entry.arg(index));
  };

  #check(place: PlacedDatabase, db: number, key: Slice, how: KeyTouch): void {
    if (place.reserved.length > 0) refuseReserved(place, db, key);
    if (place.sources.length > 1) this.#guard.touch(place, db, key, how);
  }

  /**
   * The source journals a MOVE also when there was nothing to move, or its new place was taken (Dragonfly src/server/generic_family.cc Move):
   * so every form leaves a key that is there alone.
   */
  #mapMove(command: JournalCommand, from: PlacedDatabase): MappedEntry {
    const toDb = parseDecimal(command.arg(2));
    if (command.argc !== MOVE_WORDS || !(toDb >= 0)) return this.#unrunnable(NO_MOVE);
    if (toDb === command.db) return "nothing";
    const to = this.#map.place(toDb);
    const key = command.arg(1);
    if (from.reserved.length > 0) refuseReserved(from, command.db, key);
    if (to.reserved.length > 0) refuseReserved(to, toDb, key);
    if (from.db === to.db && from.prefix.equals(to.prefix)) {
      this.#guard.transfer(to, key, command.db, toDb);
      return "nothing";
    }
    const owner = from.sources.length > 1 ? this.#guard.owner(from, key) : -1;
    // The source had no such key to move: the target's is another database's.
    if (owner >= 0 && owner !== command.db) return "nothing";
    if (to.sources.length > 1) this.#guard.touch(to, toDb, key, "write");
    return this.#moveTo(command, from, to);
  }

  #moveTo(command: JournalCommand, from: PlacedDatabase, to: PlacedDatabase): MappedEntry {
    const key = command.arg(1);
    this.#words.start(from.prefix.length + to.prefix.length + 2 * key.length);
    name(this.#from, from.db, from.prefix.length === 0 ? key : this.#words.add(from.prefix, key));
    name(this.#to, to.db, to.prefix.length === 0 ? key : this.#words.add(to.prefix, key));
    const sameName = from.prefix.equals(to.prefix);
    if (!sameName && from.db !== to.db) return "move";
    this.#copy(command, from.db);
    const { args } = this.command;
    args[0] = sameName ? command.arg(0) : RENAMENX;
    args[1] = this.#from.key;
    args[2] = sameName ? this.#number.setInteger(to.db) : this.#to.key;
    return "run";
  }

  #unrunnable(why: string): MappedEntry {
    this.why = why;
    return "unrunnable";
  }
}

function name(where: Writable<KeyName>, db: number, key: Slice): void {
  where.db = db;
  where.key = key;
}

function whyUnrunnable(
  special: Special | undefined,
  command: JournalCommand,
  place: PlacedDatabase,
): string | undefined {
  if (special === "sort") return unrunnableSort(command, place);
  if (special !== "copy") return undefined;
  for (let i = 3; i < command.argc; i++) if (command.arg(i).equalsIgnoreCase("DB")) return COPY_TO_DATABASE;
  return undefined;
}

/** Whether names stay, and nothing has to be watched. */
function isUntouched({ prefix, sources, reserved }: PlacedDatabase): boolean {
  return prefix.length === 0 && sources.length === 1 && reserved.length === 0;
}

function touchOf(special: Special | undefined, argc: number, index: number, access: KeyAccess): KeyTouch {
  if (special === "removeAll") return "remove";
  if (special === "removeFirst" && index === 1) return "remove";
  // With a condition it may have left the key.
  if (special === "removeWhole" && argc === 2) return "remove";
  return access;
}

/** @throws KEY_CONFLICT for a name that would look like a key of another database */
function refuseReserved({ db: targetDb, prefix, reserved }: PlacedDatabase, db: number, key: Slice): void {
  for (const { start, source } of reserved) {
    if (!beginsWith(key, start)) continue;
    const text = keyText(key.view());
    throw new Df2RedisError(
      "KEY_CONFLICT",
      `the key ${text} of the source's database ${db} would be named like a key of its database ${source}, whose keys get the prefix ` +
        `${keyText(Buffer.concat([prefix, start]))} in database ${targetDb} of the target: rename it, or choose another prefix (\`databases\`)`,
      { context: { key: text, db, otherDb: source, targetDb } },
    );
  }
}

function beginsWith({ buf, start, end }: Slice, wanted: Buffer): boolean {
  if (end - start < wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) if (buf[start + i] !== wanted[i]) return false;
  return true;
}
