/**
 * Deadlines of hash fields and set members that df2redis keeps itself, for one flow: all of them where the target has none of its own, and
 * those of hash fields that are held back where it has. Masters never journal that a member has expired (the recording `expiry`), so members are
 * deleted by `release` when they are due, in the flow's order.
 *
 * Exact only as long as every entry that changes a member or its key is told (`member-deadline-effects.ts`). Sans-IO. Bounded: above `limit` a
 * deadline is not taken, which the caller reports. Keys and members are kept as latin1 text; nothing of a caller's bytes is kept.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { FeaturePlan } from "../features.ts";
import { encodeArmedFields, encodeDueMembers } from "./member-release.ts";
import { MemberTimeIndex, type Timed } from "./member-time-index.ts";

/** `either`: FIELDEXPIRE does not say whether its key is a hash or a set. */
export type MemberKind = "field" | "member" | "either";

/**
 * The deadline of a member of which it cannot be told whether it has one on the source, and which: it is never deleted. Never to hold it would mean
 * that it surely has none.
 */
export const UNKNOWN_DEADLINE_MS = Number.POSITIVE_INFINITY;

/** One deadline, for a file or a report. */
export type MemberDeadline = {
  readonly db: number;
  readonly key: Buffer;
  readonly member: Buffer;
  readonly kind: MemberKind;
  /** Unix ms, or `UNKNOWN_DEADLINE_MS`. */
  readonly deadlineMs: number;
  /** See `MemberSort`. */
  readonly certain: boolean;
};

/**
 * What is known of a member whose deadline is set. Not `certain`: it may not exist, since HEXPIRE and FIELDEXPIRE are journaled for members that
 * are not there, too.
 */
export type MemberSort = { readonly kind: MemberKind; readonly certain: boolean };

export type MemberPlan = Pick<FeaturePlan, "fieldTtl" | "memberTtl">;

export type MemberDeadlinesOptions = {
  /** Members held at most, at about 150 bytes each and its name. */
  readonly limit?: number;
  /** Default: both are converted. */
  readonly plan?: MemberPlan;
  /** Whether a renewal of this deadline may be under way still, so that the target must not act on it yet. Default: never. */
  readonly isNear?: (deadlineMs: number) => boolean;
};

export type HeldKey = {
  readonly db: number;
  readonly key: string;
  kind: MemberKind;
  readonly members: Map<string, HeldMember>;
};

export type HeldMember = Timed & {
  readonly owner: HeldKey;
  readonly name: string;
  certain: boolean;
};

const DEFAULT_LIMIT = 2_000_000;

export class MemberDeadlines {
  /** Deadlines that were not taken because `limit` was reached. */
  overflowed = 0;
  readonly limit: number;
  readonly plan: MemberPlan;
  readonly isNear: (deadlineMs: number) => boolean;
  readonly #byDb = new Map<number, Map<string, HeldKey>>();
  readonly #byTime = new MemberTimeIndex<HeldMember>();
  #size = 0;

  constructor(options: MemberDeadlinesOptions = {}) {
    this.limit = options.limit ?? DEFAULT_LIMIT;
    this.plan = options.plan ?? { fieldTtl: "convert", memberTtl: "convert" };
    this.isNear = options.isNear ?? (() => false);
  }

  /** Members with a deadline. */
  get size(): number {
    return this.#size;
  }

  hasKey(db: number, key: Slice): boolean {
    return this.#key(db, key) !== undefined;
  }

  kindOf(db: number, key: Slice): MemberKind | undefined {
    return this.#key(db, key)?.kind;
  }

  /** Whether a member that is not held surely has no deadline. */
  get isComplete(): boolean {
    return this.overflowed === 0;
  }

  /** Unix ms, `UNKNOWN_DEADLINE_MS`, or -1 for none. */
  deadlineOf(db: number, key: Slice, member: Slice): number {
    const held = this.find(db, key, member);
    return held === undefined ? -1 : held.second * 1000;
  }

  find(db: number, key: Slice, member: Slice): HeldMember | undefined {
    return this.#key(db, key)?.members.get(member.toLatin1());
  }

  /** Sets or renews a deadline. Dragonfly counts in seconds: a fraction is rounded up. @returns false when there is no room */
  set(db: number, key: Slice, member: Slice, deadlineMs: number, sort: MemberSort): boolean {
    return this.#put({ db, key: key.toLatin1(), name: member.toLatin1() }, Math.ceil(deadlineMs / 1000), sort);
  }

  /** The member is gone, or has no deadline any more. */
  drop(db: number, key: Slice, member: Slice): boolean {
    if (this.#size === 0) return false;
    const held = this.find(db, key, member);
    if (held === undefined) return false;
    this.#byTime.remove(held);
    this.#forget(held);
    return true;
  }

  /** The key is gone, or holds another value. */
  dropKey(db: number, key: Slice): void {
    const owner = this.#key(db, key);
    if (owner !== undefined) this.#dropOwner(owner);
  }

  /** A command told of what type the key is. */
  learnKind(db: number, key: Slice, kind: "field" | "member"): void {
    const owner = this.#key(db, key);
    if (owner?.kind !== "either") return;
    // What FIELDEXPIRE said of a hash went to the target itself then.
    if (kind === "field" && this.plan.fieldTtl !== "convert") this.#dropOwner(owner);
    else owner.kind = kind;
  }

  /** The deadlines go along to another key, or stay and are there twice. What that key had is gone. */
  follow(
    from: { readonly db: number; readonly key: Slice },
    to: { readonly db: number; readonly key: Slice },
    how: "move" | "copy",
  ): void {
    const owner = this.#key(from.db, from.key);
    const target = { db: to.db, key: to.key.toLatin1() };
    if (owner !== undefined && owner.db === target.db && owner.key === target.key) return;
    this.dropKey(to.db, to.key);
    if (owner === undefined) return;
    const members = [...owner.members.values()];
    if (how === "move") this.#dropOwner(owner);
    for (const { name, second, certain } of members)
      this.#put({ ...target, name }, second, { kind: owner.kind, certain });
  }

  /**
   * The source journals a MOVE also when it did nothing: the new place was taken (Dragonfly src/server/generic_family.cc Move). Where that cannot be
   * told, no deadline of either key is known any more. @returns whether that came about, and for which kind
   */
  moveIfFree(
    from: { readonly db: number; readonly key: Slice },
    to: { readonly db: number; readonly key: Slice },
  ): MemberKind | undefined {
    const owner = this.#key(from.db, from.key);
    // A key with deadlines of its own was there, so nothing was moved.
    if (owner === undefined || this.#key(to.db, to.key) !== undefined) return undefined;
    const target = { db: to.db, key: to.key.toLatin1() };
    const source = { db: owner.db, key: owner.key };
    const names = Array.from(owner.members.keys());
    for (const name of names) {
      for (const place of [source, target])
        this.#put({ ...place, name }, UNKNOWN_DEADLINE_MS, { kind: owner.kind, certain: false });
    }
    return owner.kind;
  }

  /** @param db the database that was flushed, or -1 for all @param holds which keys of it were; all when not given */
  flushed(db: number, holds?: (key: Buffer) => boolean): void {
    for (const [held, keys] of this.#byDb) {
      if (db !== -1 && db !== held) continue;
      for (const [key, owner] of keys) if (holds?.(Buffer.from(key, "latin1")) !== false) this.#dropOwner(owner);
    }
  }

  /**
   * Encodes the deletion of every member whose deadline is at or before `upToMs`: a time up to which everything that the source has sent is
   * encoded, so that no renewal is under way. The encoder's `lsn` is the caller's business. @returns how many
   */
  release(encoder: CommandEncoder, upToMs: number): number {
    if (this.#size === 0) return 0;
    const before = this.#size;
    const upTo = Math.floor(upToMs / 1000);
    for (let due = this.#byTime.takeUpTo(upTo); due !== undefined; due = this.#byTime.takeUpTo(upTo)) {
      for (const member of due) this.#forget(member);
      encodeDueMembers(encoder, due, this.plan);
    }
    return before - this.#size;
  }

  /**
   * Gives the target the deadlines of hash fields that were held back, where it has such: those with no renewal under way any more, when the
   * flow has caught up, or all at the end of a run. @returns how many
   */
  armFields(encoder: CommandEncoder, which: "settled" | "all"): number {
    if (this.#size === 0 || this.plan.fieldTtl !== "native") return 0;
    const before = this.#size;
    for (const keys of this.#byDb.values()) {
      for (const owner of keys.values()) {
        if (owner.kind !== "field") continue;
        const fields = [...owner.members.values()].filter(
          ({ second }) => Number.isFinite(second) && (which === "all" || !this.isNear(second * 1000)),
        );
        encodeArmedFields(encoder, owner, fields);
        for (const field of fields) {
          this.#byTime.remove(field);
          this.#forget(field);
        }
      }
    }
    return before - this.#size;
  }

  /** The same for one field, at once. */
  armField(encoder: CommandEncoder, db: number, key: Slice, field: Slice): void {
    const held = this.find(db, key, field);
    if (held === undefined) return;
    encodeArmedFields(encoder, held.owner, [held]);
    this.#byTime.remove(held);
    this.#forget(held);
  }

  /** All deadlines, key by key. */
  *entries(): IterableIterator<MemberDeadline> {
    for (const keys of this.#byDb.values()) {
      for (const { db, key, kind, members } of keys.values()) {
        const keyBytes = Buffer.from(key, "latin1");
        for (const { name, second, certain } of members.values())
          yield { db, key: keyBytes, member: Buffer.from(name, "latin1"), kind, deadlineMs: second * 1000, certain };
      }
    }
  }

  /** Takes what `entries` of an earlier run gave. They may be told of members that are gone: deleting those does no harm. */
  load(entries: Iterable<MemberDeadline>): void {
    for (const { db, key, member, kind, deadlineMs, certain } of entries) {
      const place = { db, key: key.toString("latin1"), name: member.toString("latin1") };
      this.#put(place, Math.ceil(deadlineMs / 1000), { kind, certain });
    }
  }

  #key(db: number, key: Slice): HeldKey | undefined {
    if (this.#size === 0) return undefined;
    return this.#byDb.get(db)?.get(key.toLatin1());
  }

  #put(
    { db, key, name }: { readonly db: number; readonly key: string; readonly name: string },
    second: number,
    sort: MemberSort,
  ): boolean {
    const { kind } = sort;
    const certain = sort.certain && Number.isFinite(second);
    const known = this.#byDb.get(db)?.get(key);
    const held = known?.members.get(name);
    if (held === undefined && this.#size >= this.limit) {
      this.overflowed++;
      return false;
    }
    if (held !== undefined) {
      this.#byTime.remove(held);
      held.second = second;
      held.certain = certain;
      this.#byTime.add(held);
      if (kind !== "either") held.owner.kind = kind;
      return true;
    }
    const owner = known ?? this.#addKey(db, key, kind);
    if (kind !== "either") owner.kind = kind;
    const member: HeldMember = { second, slot: 0, owner, name, certain };
    owner.members.set(name, member);
    this.#byTime.add(member);
    this.#size++;
    return true;
  }

  #addKey(db: number, key: string, kind: MemberKind): HeldKey {
    let keys = this.#byDb.get(db);
    if (keys === undefined) this.#byDb.set(db, (keys = new Map()));
    const owner: HeldKey = { db, key, kind, members: new Map() };
    keys.set(key, owner);
    return owner;
  }

  #dropOwner(owner: HeldKey): void {
    for (const member of owner.members.values()) this.#byTime.remove(member);
    this.#size -= owner.members.size;
    owner.members.clear();
    this.#byDb.get(owner.db)?.delete(owner.key);
  }

  /** Takes a member out of its key. The time index is the caller's business. */
  #forget({ owner, name }: HeldMember): void {
    owner.members.delete(name);
    this.#size--;
    if (owner.members.size === 0) this.#byDb.get(owner.db)?.delete(owner.key);
  }
}
