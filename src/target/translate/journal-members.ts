/**
 * Dragonfly's commands with deadlines of set members, or of members of either. What becomes of the deadlines is the plan's choice
 * (`member-policy.ts`); the members are carried always. Facts: Dragonfly src/server/set_family.cc (OpAddEx), src/core/string_set.cc (AddBatch),
 * src/server/generic_family.cc (OpFieldExpire). The words are as the client sent them, in any case.
 */
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { beginScript } from "./journal-scripts.ts";
import { copyArgs, parseDecimal } from "./journal-words.ts";
import {
  CUT_SHORT,
  keepDeadlines,
  MEMBER,
  refuseIfAsked,
  setFieldDeadlines,
  ttlDeadline,
  UNSURE_EITHER,
  UNSURE_FIELD,
  UNSURE_MEMBER,
} from "./member-policy.ts";
import { UNKNOWN_DEADLINE_MS } from "./member-deadlines.ts";
import { memberSourceRules } from "./member-source-rules.ts";

/** `SADDEX key [KEEPTTL] ttl member…`. */
export const rewriteSAddEx: Rewrite = (context, command) => {
  const hasWord = command.arg(2).equalsIgnoreCase("KEEPTTL");
  const isKeeping = hasWord || !memberSourceRules(context.sourceVersion?.()).saddexRenews;
  const first = hasWord ? 4 : 3;
  const ttl = parseDecimal(command.arg(first - 1));
  if (command.argc <= first || Number.isNaN(ttl)) return context.unrunnable(command, CUT_SHORT);
  const { encoder, plan, losses } = context;
  refuseIfAsked(context, command, "memberTtl");
  encoder.begin(2 + command.argc - first);
  encoder.argText("SADD");
  encoder.arg(command.arg(1));
  copyArgs(encoder, command, first, command.argc);
  if (plan.memberTtl !== "convert") return losses.record("memberTtl", command.db, command.arg(1));
  const deadlineMs = ttlDeadline(context, ttl);
  if (isKeeping) addKeepingTtl(context, command, first, deadlineMs);
  else keepDeadlines(context, command, { first, step: 1 }, { deadlineMs, sort: MEMBER });
};

/**
 * With KEEPTTL a member that is there stays as it is, with its deadline or without. One that is not held may be new, or be there without a
 * deadline: its deadline is unknown then, since deleting what should stay is the worse mistake. Counted.
 */
function addKeepingTtl(context: JournalContext, command: JournalCommand, first: number, deadlineMs: number): void {
  const { clock, losses, members } = context;
  const now = clock();
  let isInDoubt = false;
  for (let i = first; i < command.argc; i++) {
    const held = members.find(command.db, command.arg(1), command.arg(i));
    if (held === undefined) isInDoubt = true;
    const oldMs = held === undefined ? UNKNOWN_DEADLINE_MS : held.second * 1000;
    const isThere = oldMs > now;
    // The later of both loses nothing, but may be late.
    if (isThere && held?.certain === false && oldMs > deadlineMs && oldMs !== UNKNOWN_DEADLINE_MS) isInDoubt = true;
    const nextMs = isThere && held?.certain === true ? oldMs : isThere ? Math.max(oldMs, deadlineMs) : deadlineMs;
    members.set(command.db, command.arg(1), command.arg(i), nextMs, MEMBER);
  }
  if (isInDoubt) losses.record("memberTtl", command.db, command.arg(1));
}

/** ARGV: ms, fields. */
const EXPIRE_FIELDS_OF_HASH = Buffer.from(
  "if redis.call('TYPE',KEYS[1]).ok~='hash' then return 0 end " +
    "for i=2,#ARGV do redis.call('HPEXPIREAT',KEYS[1],ARGV[1],'FIELDS',1,ARGV[i]) end return 1",
);

/** `FIELDEXPIRE key ttl field…`, on a hash or a set, which it does not say; ttl is never 0. Nothing but deadlines changes. */
export const rewriteFieldExpire: Rewrite = (context, command) => {
  const ttl = parseDecimal(command.arg(2));
  if (command.argc < 4 || Number.isNaN(ttl)) return context.unrunnable(command, CUT_SHORT);
  const { plan, members, losses } = context;
  const deadlineMs = ttlDeadline(context, ttl);
  const range = { first: 3, step: 1 };
  const kind = members.kindOf(command.db, command.arg(1));
  if (kind === "field") return setFieldDeadlines(context, command, range, { deadlineMs, sort: UNSURE_FIELD });
  if (kind === "member") return keepDeadlines(context, command, range, { deadlineMs, sort: UNSURE_MEMBER });
  refuseIfAsked(context, command, "fieldTtl");
  refuseIfAsked(context, command, "memberTtl");
  const canScript = context.capabilities.commands.has("EVAL");
  if (plan.fieldTtl === "native" && canScript) expireFieldsOfHash(context, command, deadlineMs);
  const isKept = plan.fieldTtl === "convert" || plan.memberTtl === "convert";
  if (isKept && canScript) keepDeadlines(context, command, range, { deadlineMs, sort: UNSURE_EITHER });
  // Of what it may be, what is left out counts.
  if (plan.fieldTtl === "drop" || !canScript) losses.record("fieldTtl", command.db, command.arg(1));
  else if (plan.memberTtl === "drop") losses.record("memberTtl", command.db, command.arg(1));
};

function expireFieldsOfHash({ encoder }: JournalContext, command: JournalCommand, deadlineMs: number): void {
  beginScript(encoder, EXPIRE_FIELDS_OF_HASH, 1, 2 + command.argc - 3);
  encoder.arg(command.arg(1));
  encoder.argInt(deadlineMs);
  copyArgs(encoder, command, 3, command.argc);
}
