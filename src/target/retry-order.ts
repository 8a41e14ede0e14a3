/**
 * Which commands of a window have to be sent again after some were refused, and whether that is still right (I2). A server that is out of
 * memory refuses SET but runs DEL: sending the SET of a key again behind a later DEL of it would bring back what the source has deleted.
 * Commands are given in the order in which they were sent; a refused one may be sent again when everything behind it that ran
 * - has no key in common with it, or
 * - gives the same result in either order (two SADD of one key), or
 * - wrote the whole value anew or deleted it: then the refused one has no effect left and is dropped.
 * Anything else, and writes behind a refused SELECT, cannot be put right by us: `conflict`. Pure.
 */
import { commandName } from "../resp/command-batch.ts";
import { type SentKeys, keysOf } from "./retry-keys.ts";

/**
 * `applied`: it ran. `waiting`: the server cannot take it now. `refused`: another error, which may come of an earlier one that did not run.
 */
export type Outcome = "applied" | "waiting" | "refused";

export type OrderedCommand = {
  /** Place on the connection. */
  readonly position: number;
  readonly db: number;
  /** Views of name and arguments, valid during the call only. */
  readonly words: readonly Buffer[];
};

export type RetryConflict = {
  /** The command that was refused, and the one that ran behind it. */
  readonly waiting: number;
  readonly applied: number;
  readonly kind: "order" | "database";
};

export type RefusedCommand = { readonly position: number } & SentKeys;

type Pending = RefusedCommand & { readonly change: Change };

/** What has to be known of a command to tell whether it may change places with another one. */
type Change = { readonly group: string; readonly members: readonly string[] | undefined };

/** Of each group, any two on one key give the same result in either order. */
const COMMUTING: Readonly<Record<string, string>> = {
  SADD: "SADD",
  SREM: "SREM",
  HDEL: "HDEL",
  ZREM: "ZREM",
  XDEL: "XDEL",
  XACK: "XACK",
  PFADD: "PFADD",
  INCR: "INCR",
  INCRBY: "INCR",
  DECR: "INCR",
  DECRBY: "INCR",
};

export class RetryOrder {
  /** The first conflict; the rest is not looked at. */
  conflict: RetryConflict | undefined;
  /** Refused commands that a later one has made void. */
  superseded = 0;
  readonly #pending = new Set<Pending>();
  readonly #byKey = new Map<string, Pending[]>();
  /** A command that waits and may read any key. */
  #open: number | undefined;
  /** A refused SELECT that no later one has made good. */
  #lostSelect: number | undefined;

  /** What has to be sent again, in order. SELECTs are not among it. */
  get waiting(): readonly RefusedCommand[] {
    return [...this.#pending];
  }

  /** @returns what becomes of a `refused` command: true when it is to be sent again, because an earlier one on its key did not run. */
  add(command: OrderedCommand, outcome: Outcome): boolean {
    const { position, words, db } = command;
    const name = commandName(words);
    if (name === "SELECT") return this.#addSelect(position, outcome);
    const sent = keysOf(name, words, db);
    if (outcome === "applied") {
      this.#addApplied(command, name, sent);
      return false;
    }
    if (outcome === "refused" && !this.#mayComeOfOther(sent)) return false;
    this.#wait({ position, ...sent, change: changeOf(name, words) });
    return true;
  }

  #mayComeOfOther({ keys, isOpen }: SentKeys): boolean {
    return (
      this.#lostSelect !== undefined || (isOpen && this.#pending.size > 0) || keys.some((key) => this.#byKey.has(key))
    );
  }

  #addSelect(position: number, outcome: Outcome): boolean {
    if (outcome === "applied") this.#lostSelect = undefined;
    if (outcome === "waiting") this.#lostSelect ??= position;
    return outcome === "waiting";
  }

  #addApplied({ position, words }: OrderedCommand, name: string, { keys, isOpen }: SentKeys): void {
    if (this.conflict !== undefined) return;
    if (this.#lostSelect !== undefined) {
      this.conflict = { waiting: this.#lostSelect, applied: position, kind: "database" };
      return;
    }
    const waiting = this.#open ?? (isOpen ? this.#pending.values().next().value?.position : undefined);
    if (waiting !== undefined) {
      this.conflict = { waiting, applied: position, kind: "order" };
      return;
    }
    const met = new Set(keys.flatMap((key) => this.#byKey.get(key) ?? []));
    if (met.size === 0) return;
    const isWhole = replacesItsKeys(name, words);
    const change = changeOf(name, words);
    for (const pending of met) {
      if (isWhole && pending.keys.every((key) => keys.includes(key))) this.#forget(pending);
      else if (!commute(pending.change, change)) {
        this.conflict = { waiting: pending.position, applied: position, kind: "order" };
        return;
      }
    }
  }

  #wait(pending: Pending): void {
    this.#pending.add(pending);
    if (pending.isOpen) this.#open ??= pending.position;
    for (const key of pending.keys) {
      const others = this.#byKey.get(key);
      if (others === undefined) this.#byKey.set(key, [pending]);
      else others.push(pending);
    }
  }

  #forget(gone: Pending): void {
    this.superseded++;
    this.#pending.delete(gone);
    for (const key of gone.keys) {
      const left = (this.#byKey.get(key) ?? []).filter((pending) => pending !== gone);
      if (left.length === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, left);
    }
  }
}

/** After it, nothing of its keys' earlier values, types and deadlines is left. */
function replacesItsKeys(name: string, words: readonly Buffer[]): boolean {
  if (name === "DEL" || name === "UNLINK") return true;
  if (name === "SET") return words.length === 3 || (words.length === 5 && isWord(words[3], "PXAT"));
  return name === "RESTORE" && words.slice(4).some((word) => isWord(word, "REPLACE"));
}

function isWord(word: Buffer | undefined, text: string): boolean {
  return word?.toString("latin1").toUpperCase() === text;
}

function changeOf(name: string, words: readonly Buffer[]): Change {
  if (name === "HSET" || name === "HMSET") return { group: "HSET", members: everySecond(words, 2) };
  // Options (NX, GT, INCR …) would stand where the first score is.
  if (name === "ZADD" && /^[-+.\d]/.test(words[2]?.toString("latin1") ?? ""))
    return { group: "ZADD", members: everySecond(words, 3) };
  return { group: COMMUTING[name] ?? "", members: undefined };
}

function everySecond(words: readonly Buffer[], from: number): string[] {
  return words.flatMap((word, i) => (i >= from && (i - from) % 2 === 0 ? [word.toString("latin1")] : []));
}

/** Fields and scores of one key commute as long as none is set by both. */
function commute(a: Change, b: Change): boolean {
  if (a.group === "" || a.group !== b.group) return false;
  const { members } = a;
  return members === undefined || b.members?.some((member) => members.includes(member)) === false;
}
