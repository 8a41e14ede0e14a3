/**
 * What becomes of deadlines of hash fields and set members in a snapshot: kept by df2redis, given to the target behind the fields they belong to,
 * left out and counted, or the end of the run. One per flow. Copies what it keeps; holds deadlines of one value only, from its fields to the flush
 * that follows them.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { ObjectHeader } from "../../rdb/rdb-handler.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { FeaturePlan } from "../features.ts";
import type { LossKind, LossRecorder } from "../losses.ts";
import type { MemberDeadlines } from "./member-deadlines.ts";
import { FIELD, MEMBER } from "./member-policy.ts";
import type { NativeWriter } from "./native-writer.ts";
import { refuseFeature } from "./refuse-feature.ts";
import type { StreamedValue } from "./streamed-value.ts";

const MAX_FIELDS = 512;
const MAX_BYTES = 64 * 1024;
const FIELDS_PER_COMMAND = 256;

export type SnapshotMembersOptions = {
  readonly encoder: CommandEncoder;
  readonly native: NativeWriter;
  readonly losses: LossRecorder;
  readonly plan: FeaturePlan;
  readonly members: MemberDeadlines;
};

export class SnapshotMembers {
  readonly #encoder: CommandEncoder;
  readonly #native: NativeWriter;
  readonly #losses: LossRecorder;
  readonly #plan: FeaturePlan;
  readonly #members: MemberDeadlines;
  /** Fields of the value in hand that the target shall give a deadline, by deadline. */
  readonly #pending = new Map<number, Buffer[]>();
  #pendingFields = 0;
  #pendingBytes = 0;

  constructor(options: SnapshotMembersOptions) {
    this.#encoder = options.encoder;
    this.#native = options.native;
    this.#losses = options.losses;
    this.#plan = options.plan;
    this.#members = options.members;
  }

  /** The snapshot has a new value for the key. */
  replaced({ db, key }: ObjectHeader): void {
    if (this.#members.size > 0) this.#members.dropKey(db, key);
  }

  field(value: StreamedValue, field: Slice, content: Slice, expireAtMs: number): void {
    this.#native.element(value, field, content);
    if (expireAtMs < 0) return;
    const choice = this.#plan.fieldTtl;
    if (choice === "fail") refuseFeature("fieldTtl", value.db, value.key);
    if (choice === "drop") return this.#report(value, "fieldTtl");
    if (choice === "convert") return this.#keep(value, field, expireAtMs, "field");
    const isHeld = this.#members.isNear(expireAtMs) && this.#members.set(value.db, value.key, field, expireAtMs, FIELD);
    if (!isHeld) this.#later(value, field, expireAtMs);
  }

  member(value: StreamedValue, member: Slice, expireAtMs: number): void {
    this.#native.element(value, member, undefined);
    if (expireAtMs < 0) return;
    if (this.#plan.memberTtl === "fail") refuseFeature("memberTtl", value.db, value.key);
    if (this.#plan.memberTtl === "convert") this.#keep(value, member, expireAtMs, "member");
    else this.#report(value, "memberTtl");
  }

  /** Writes the deadlines of the fields so far. The fields themselves are written before. */
  flush(value: StreamedValue): void {
    if (this.#pendingFields === 0) return;
    this.#encoder.select(value.db);
    for (const [expireAtMs, fields] of this.#pending) {
      for (let i = 0; i < fields.length; i += FIELDS_PER_COMMAND)
        this.#encodeExpireAt(value, fields.slice(i, i + FIELDS_PER_COMMAND), expireAtMs);
    }
    this.#pending.clear();
    this.#pendingFields = 0;
    this.#pendingBytes = 0;
  }

  #keep(value: StreamedValue, member: Slice, expireAtMs: number, kind: "field" | "member"): void {
    const isKept = this.#members.set(value.db, value.key, member, expireAtMs, kind === "field" ? FIELD : MEMBER);
    if (!isKept) return this.#report(value, kind === "field" ? "fieldTtl" : "memberTtl");
    if (value.memberDeadlineKept) return;
    value.memberDeadlineKept = true;
    this.#losses.record(kind === "field" ? "fieldTtlKept" : "memberTtlKept", value.db, value.key);
  }

  /** Once per value. */
  #report(value: StreamedValue, kind: LossKind): void {
    if (value.memberDeadlineLost) return;
    value.memberDeadlineLost = true;
    this.#losses.record(kind, value.db, value.key);
  }

  #later(value: StreamedValue, field: Slice, expireAtMs: number): void {
    const fields = this.#pending.get(expireAtMs);
    if (fields === undefined) this.#pending.set(expireAtMs, [field.toBuffer()]);
    else fields.push(field.toBuffer());
    this.#pendingFields++;
    this.#pendingBytes += field.length;
    if (this.#pendingFields < MAX_FIELDS && this.#pendingBytes < MAX_BYTES) return;
    this.#native.flush(value);
    this.flush(value);
  }

  #encodeExpireAt(value: StreamedValue, fields: readonly Buffer[], expireAtMs: number): void {
    const encoder = this.#encoder;
    encoder.begin(5 + fields.length);
    encoder.argText("HPEXPIREAT");
    encoder.arg(value.key);
    encoder.argInt(expireAtMs);
    encoder.argText("FIELDS");
    encoder.argInt(fields.length);
    for (const field of fields) encoder.argBytes(field);
  }
}
