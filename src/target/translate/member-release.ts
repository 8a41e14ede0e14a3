/**
 * The commands that end members of hashes and sets, or give a target with deadlines of fields those that were held back. All of them leave alone
 * what is gone already. Pure; copies everything into the encoder.
 */
import { Slice } from "../../bytes/slice.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { HeldKey, HeldMember, MemberKind, MemberPlan } from "./member-deadlines.ts";
import { gatedScript } from "./write-gate.ts";

const MEMBERS_PER_COMMAND = 256;

/** FIELDEXPIRE does not say of what type its key is. ARGV: whether fields, whether members are df2redis's to delete; their names. */
const DELETE_BY_TYPE = Buffer.from(
  "local t=redis.call('TYPE',KEYS[1]).ok local c " +
    "if t=='hash' and ARGV[1]=='1' then c='HDEL' elseif t=='set' and ARGV[2]=='1' then c='SREM' else return 0 end " +
    "local n=0 for i=3,#ARGV do n=n+redis.call(c,KEYS[1],ARGV[i]) end return n",
);

const word = new Slice();

/** `due` may be of several keys, in any order. */
export function encodeDueMembers(encoder: CommandEncoder, due: readonly HeldMember[], plan: MemberPlan): void {
  const byKey = new Map<HeldKey, string[]>();
  for (const { owner, name } of due) {
    const names = byKey.get(owner);
    if (names === undefined) byKey.set(owner, [name]);
    else names.push(name);
  }
  for (const [owner, names] of byKey) {
    for (let i = 0; i < names.length; i += MEMBERS_PER_COMMAND)
      encodeDeletion(encoder, owner, names.slice(i, i + MEMBERS_PER_COMMAND), plan);
  }
}

function encodeDeletion(
  encoder: CommandEncoder,
  { db, key, kind }: { readonly db: number; readonly key: string; readonly kind: MemberKind },
  names: readonly string[],
  plan: MemberPlan,
): void {
  encoder.select(db);
  if (kind !== "either") {
    encoder.begin(2 + names.length);
    encoder.argText(kind === "field" ? "HDEL" : "SREM");
    argLatin1(encoder, key);
  } else {
    encoder.begin(6 + names.length);
    encoder.argText("EVAL");
    encoder.argBytes(gatedScript(DELETE_BY_TYPE));
    encoder.argInt(1);
    argLatin1(encoder, key);
    encoder.argText(plan.fieldTtl === "convert" ? "1" : "0");
    encoder.argText(plan.memberTtl === "convert" ? "1" : "0");
  }
  for (const name of names) argLatin1(encoder, name);
}

/** `HPEXPIREAT key ms FIELDS n field…`, a command for each deadline. */
export function encodeArmedFields(encoder: CommandEncoder, owner: HeldKey, fields: readonly HeldMember[]): void {
  const bySecond = new Map<number, string[]>();
  for (const { second, name } of fields) {
    const names = bySecond.get(second);
    if (names === undefined) bySecond.set(second, [name]);
    else names.push(name);
  }
  for (const [second, names] of bySecond) {
    for (let i = 0; i < names.length; i += MEMBERS_PER_COMMAND) {
      const some = names.slice(i, i + MEMBERS_PER_COMMAND);
      encoder.select(owner.db);
      encoder.begin(5 + some.length);
      encoder.argText("HPEXPIREAT");
      argLatin1(encoder, owner.key);
      encoder.argInt(second * 1000);
      encoder.argText("FIELDS");
      encoder.argInt(some.length);
      for (const name of some) argLatin1(encoder, name);
    }
  }
}

function argLatin1(encoder: CommandEncoder, text: string): void {
  word.scratch(text.length).latin1Write(text);
  encoder.arg(word);
}
