/**
 * What journal entries do to the deadlines of members that df2redis holds (`member-deadlines.ts`), beside the commands that set such deadlines and
 * see to it themselves. Asked only while any are held, before the entry is encoded. Facts, from Dragonfly's sources:
 * - SADD leaves a member that is there as it is, its deadline included (src/core/string_set.cc AddBatch);
 * - HSET takes a field's deadline away (src/core/string_map.cc AddOrUpdate without keepttl), HSETNX leaves a field as it is (AddOrSkip),
 *   HINCRBY and HINCRBYFLOAT keep its deadline (src/server/hset_family.cc HMapWrap::AddOrUpdate with keepttl), or not (`memberSourceRules`);
 * - SMOVE is an SREM and an SADD (src/server/set_family.cc Mover), SPOP is journaled as SREM or DEL, S*STORE as DEL and SADD;
 * - RENAME and COPY carry members with their deadlines, RENAMENX is journaled only when it was done; MOVE also when it was not.
 *
 * A member whose deadline is past when such a command comes was gone on the source: a replica of its own decides so, too. What the command makes
 * is new, and has no deadline. In doubt, its deadline is unknown from then on: it is left alone for good, since deleting what should stay is the worse
 * mistake, and that is counted.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import { CommandIndex } from "./journal-command-index.ts";
import type { JournalContext } from "./journal-context.ts";
import { parseDecimal } from "./journal-words.ts";
import { type MemberKind, UNKNOWN_DEADLINE_MS } from "./member-deadlines.ts";
import { memberSourceRules } from "./member-source-rules.ts";

type Effect = (context: JournalContext, command: JournalCommand) => void;

/** Every key from argument 1 on, `step` apart, is gone or holds a new value. */
const dropKeys =
  (step: number): Effect =>
  ({ members }, command) => {
    for (let i = 1; i < command.argc; i += step) members.dropKey(command.db, command.arg(i));
  };

const dropFirst: Effect = ({ members }, command) => members.dropKey(command.db, command.arg(1));

/** Without words behind the key; with a condition it can only be a string. */
const dropIfPlain: Effect = ({ members }, command) => {
  if (command.argc === 2) members.dropKey(command.db, command.arg(1));
};

/** JSON.SET of a whole document, which old masters put in place of any value. */
const dropIfNotNew: Effect = ({ members }, command) => {
  for (let i = 4; i < command.argc; i++) if (command.arg(i).equalsIgnoreCase("NX")) return;
  members.dropKey(command.db, command.arg(1));
};

const dropStored: Effect = ({ members }, command) => {
  for (let i = 2; i + 1 < command.argc; i++) {
    const word = command.arg(i);
    if (word.equalsIgnoreCase("STORE") || word.equalsIgnoreCase("STOREDIST"))
      members.dropKey(command.db, command.arg(i + 1));
  }
};

const carry =
  (how: "move" | "copy"): Effect =>
  ({ members }, command) => {
    const { db } = command;
    members.follow({ db, key: command.arg(1) }, { db, key: command.arg(2) }, how);
  };

const carryToDatabase: Effect = ({ members, losses }, command) => {
  const toDb = parseDecimal(command.arg(2));
  const key = command.arg(1);
  if (Number.isNaN(toDb)) return;
  const inDoubt = members.moveIfFree({ db: command.db, key }, { db: toDb, key });
  if (inDoubt !== undefined) losses.record(lossOf(inDoubt), command.db, key);
};

/** Members from argument 2 on, `step` apart, are gone or have no deadline any more. */
const dropMembers =
  (kind: "field" | "member", step: number): Effect =>
  ({ members }, command) => {
    members.learnKind(command.db, command.arg(1), kind);
    for (let i = 2; i < command.argc; i += step) members.drop(command.db, command.arg(1), command.arg(i));
  };

/** The command changes nothing of a member that is there but, maybe, its value. */
const touchField: Effect = (context, command) => {
  context.members.learnKind(command.db, command.arg(1), "field");
  endPastField(context, command, command.arg(2));
  settleDoubt(context, command, command.arg(1), command.arg(2));
};

const incrementField: Effect = (context, command) => {
  if (memberSourceRules(context.sourceVersion?.()).incrementKeepsDeadline) return touchField(context, command);
  endPastField(context, command, command.arg(2));
  context.members.drop(command.db, command.arg(1), command.arg(2));
};

const touchMembers: Effect = (context, command) => {
  context.members.learnKind(command.db, command.arg(1), "member");
  for (let i = 2; i < command.argc; i++) touchMember(context, command, command.arg(1), command.arg(i));
};

/** `SMOVE src dst member`. */
const moveMember: Effect = (context, command) => {
  const { members } = context;
  const [source, target, member] = [command.arg(1), command.arg(2), command.arg(3)];
  if (command.argc !== 4 || Buffer.compare(source.view(), target.view()) === 0) return;
  members.learnKind(command.db, source, "member");
  members.learnKind(command.db, target, "member");
  members.drop(command.db, source, member);
  touchMember(context, command, target, member);
};

/** Sets hold no values: a member that was gone and comes again only has no deadline any more. */
function touchMember(context: JournalContext, command: JournalCommand, key: Slice, member: Slice): void {
  const { members } = context;
  const deadlineMs = members.deadlineOf(command.db, key, member);
  if (deadlineMs === -1) return;
  if (deadlineMs <= context.clock()) members.drop(command.db, key, member);
  else settleDoubt(context, command, key, member);
}

/** A field whose deadline is past is deleted before the command counts on from its old value. */
export function endPastField({ clock, encoder, members }: JournalContext, command: JournalCommand, field: Slice): void {
  const key = command.arg(1);
  const deadlineMs = members.deadlineOf(command.db, key, field);
  if (deadlineMs === -1 || deadlineMs > clock()) return;
  members.drop(command.db, key, field);
  encoder.select(command.db);
  encoder.begin(3);
  encoder.argText("HDEL");
  encoder.arg(key);
  encoder.arg(field);
}

/** It may have been missing when its deadline was set: then the command makes it now, without one. */
function settleDoubt(context: JournalContext, command: JournalCommand, key: Slice, member: Slice): void {
  const { encoder, losses, members, plan } = context;
  const held = members.find(command.db, key, member);
  if (held === undefined || held.certain) return;
  const { kind } = held.owner;
  if (kind === "field" && plan.fieldTtl === "native") return members.armField(encoder, command.db, key, member);
  if (held.second === UNKNOWN_DEADLINE_MS) return;
  members.set(command.db, key, member, UNKNOWN_DEADLINE_MS, { kind, certain: false });
  losses.record(lossOf(kind), command.db, key);
}

function lossOf(kind: MemberKind): "fieldTtl" | "memberTtl" {
  return kind === "member" ? "memberTtl" : "fieldTtl";
}

const named = (names: string, effect: Effect): (readonly [string, Effect])[] =>
  names.split(" ").map((name) => [name, effect]);

const MEMBER_EFFECTS: readonly (readonly [string, Effect])[] = [
  ...named("DEL UNLINK", dropKeys(1)),
  ...named("MSET", dropKeys(2)),
  ...named("JSON.MSET", dropKeys(3)),
  ...named("SET SETEX PSETEX GETSET GETDEL RESTORE PFMERGE", dropFirst),
  ...named("ZDIFFSTORE ZINTERSTORE ZUNIONSTORE ZRANGESTORE", dropFirst),
  ["JSON.SET", dropIfNotNew],
  ["DELEX", dropIfPlain],
  ...named("SORT GEORADIUS GEORADIUSBYMEMBER", dropStored),
  ...named("RENAME RENAMENX", carry("move")),
  ["COPY", carry("copy")],
  ["MOVE", carryToDatabase],
  ["HDEL", dropMembers("field", 1)],
  ["SREM", dropMembers("member", 1)],
  ...named("HSET HMSET", dropMembers("field", 2)),
  ["HSETNX", touchField],
  ...named("HINCRBY HINCRBYFLOAT", incrementField),
  ["SADD", touchMembers],
  ["SMOVE", moveMember],
];

const INDEX = new CommandIndex(MEMBER_EFFECTS);

/** Call it only while `members.size` is above 0. */
export function applyMemberEffects(context: JournalContext, command: JournalCommand): void {
  INDEX.find(command.arg(0))?.(context, command);
}
