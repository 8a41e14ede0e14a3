/**
 * Journaled JSON commands (Dragonfly src/server/json_family.cc): passed to a target with a JSON module, or applied to a string that holds the
 * document's text, or left out. Masters write them as the client did, and only when they succeeded; one whose NX or XX did not hold counts as
 * success, so the target decides again.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { beginScript } from "./journal-scripts.ts";
import { passEntry } from "./journal-words.ts";
import { applyJsonCommand } from "./json/apply-json-command.ts";
import { refuseFeature } from "./refuse-feature.ts";
import { documentRules } from "./source-documents.ts";

type Condition = "NX" | "XX" | undefined;

/**
 * Puts a document in place of whatever the key holds, as Dragonfly does; a module's JSON.SET keeps a document's deadline and refuses other
 * types. ARGV[2]: "NX", "XX" or "". ARGV[3]: 1 keeps the deadline
 * (to the ms, so that one held back is recognised later; Redis 6 has no PEXPIRETIME).
 */
const REPLACE = Buffer.from(
  "local there=redis.call('EXISTS',KEYS[1])==1 " +
    "if (ARGV[2]=='NX' and there) or (ARGV[2]=='XX' and not there) then return 0 end " +
    "local at,left=-1,-1 if ARGV[3]=='1' then at=redis.pcall('PEXPIRETIME',KEYS[1]) " +
    "if type(at)~='number' then at=-1 left=redis.call('PTTL',KEYS[1]) end end " +
    "redis.call('DEL',KEYS[1]) redis.call('JSON.SET',KEYS[1],'$',ARGV[1]) " +
    "if at>0 then redis.call('PEXPIREAT',KEYS[1],at) elseif left>0 then redis.call('PEXPIRE',KEYS[1],left) end return 1",
);

/** `JSON.SET key path value [NX|XX]`. */
export const rewriteJsonSet: Rewrite = (context, command) => {
  if (command.argc < 4) return passCutShort(context, command);
  const word = command.arg(4);
  const condition = word.equalsIgnoreCase("NX") ? "NX" : word.equalsIgnoreCase("XX") ? "XX" : undefined;
  if (isRoot(command.arg(2))) setDocument(context, command, 1, condition);
  else changeDocument(context, command);
};

/**
 * `JSON.MSET key path value …`, one key after the other: a module before RedisJSON 2.6 has no JSON.MSET, and each root value needs the care
 * of JSON.SET. A change of a document that a later value replaces as a whole is left out, for it would be applied after it.
 */
export const rewriteJsonMSet: Rewrite = (context, command) => {
  if (command.argc < 4) return passCutShort(context, command);
  for (let at = 1; at + 2 < command.argc; at += 3) {
    if (isRoot(command.arg(at + 1))) setDocument(context, command, at, undefined);
    else if (!isReplacedLater(command, at)) changeByMSet(context, command, at);
  }
};

/**
 * `JSON.DEL key [path]`, `JSON.FORGET key [path]`. Without a path, or with the root's, masters before 1.33 delete a value of any type, which a
 * module would refuse.
 */
export const rewriteJsonDel: Rewrite = (context, command) => {
  const { plan, losses } = context;
  if (plan.json === "fail" || !isRoot(command.arg(2))) return changeDocument(context, command);
  if (plan.json === "drop") losses.record("json", command.db, command.arg(1));
  deleteKey(context, command, command.arg(1));
};

/** Every other command that changes a document; its first word is the key. */
export const rewriteJsonChange: Rewrite = (context, command) => changeDocument(context, command);

/** Whether a path means the whole document (Dragonfly src/server/detail/wrapped_json_path.h RefersToRootElement). */
function isRoot(path: Slice): boolean {
  return path.length === 0 || path.equalsIgnoreCase("$") || path.equalsIgnoreCase(".");
}

/** A whole document: the words `key path value` stand from `at` on. */
function setDocument(context: JournalContext, command: JournalCommand, at: number, condition: Condition): void {
  const { plan, losses, deadlines } = context;
  const key = command.arg(at);
  switch (plan.json) {
    case "fail":
      return refuseFeature("json", command.db, key);
    case "native":
      if (condition === undefined && !keepsDeadline(context)) deadlines.forget(command.db, key);
      return replaceDocument(context, command, at, condition);
    case "convert":
      losses.record("jsonAsText", command.db, key);
      if (condition === undefined && !keepsDeadline(context)) deadlines.forget(command.db, key);
      return setText(context, key, command.arg(at + 2), condition);
    case "drop":
      losses.record("json", command.db, key);
      // It takes the place of another value, so what the target holds under that key is gone. With NX nothing was there, or nothing happened.
      if (condition !== "NX") deleteKey(context, command, key);
  }
}

function replaceDocument(context: JournalContext, command: JournalCommand, at: number, condition: Condition): void {
  const { encoder, capabilities } = context;
  if (!capabilities.commands.has("EVAL")) return replaceWithoutScript(context, command, at, condition);
  beginScript(encoder, REPLACE, 1, 4);
  encoder.arg(command.arg(at));
  encoder.arg(command.arg(at + 2));
  encoder.argText(condition ?? "");
  encoder.argText(keepsDeadline(context) ? "1" : "0");
}

/** Where scripts are not allowed: exact but for a condition or an old master's deadline on a key that holds no document. */
function replaceWithoutScript(
  context: JournalContext,
  command: JournalCommand,
  at: number,
  condition: Condition,
): void {
  const { encoder } = context;
  const replaces = condition === undefined && !keepsDeadline(context);
  if (replaces) deleteKey(context, command, command.arg(at));
  encoder.begin(condition === undefined ? 4 : 5);
  encoder.argText("JSON.SET");
  encoder.arg(command.arg(at));
  encoder.argText("$");
  encoder.arg(command.arg(at + 2));
  if (condition !== undefined) encoder.argText(condition);
}

function setText(context: JournalContext, key: Slice, text: Slice, condition: Condition): void {
  const { encoder } = context;
  const keeps = keepsDeadline(context);
  if (condition === undefined && !keeps) return encoder.set(key, text, -1);
  encoder.begin(3 + (condition === undefined ? 0 : 1) + (keeps ? 1 : 0));
  encoder.argText("SET");
  encoder.arg(key);
  encoder.arg(text);
  if (condition !== undefined) encoder.argText(condition);
  if (keeps) encoder.argText("KEEPTTL");
}

function keepsDeadline({ sourceVersion }: JournalContext): boolean {
  return documentRules(sourceVersion?.()).keepsDeadlines;
}

/** A change within a document. */
function changeDocument(context: JournalContext, command: JournalCommand): void {
  const key = command.arg(1);
  switch (context.plan.json) {
    case "fail":
      return refuseFeature("json", command.db, key);
    case "native":
      return passEntry(context.encoder, command);
    case "convert":
      return editDocument(context, command, key, wordsOf(command));
    case "drop":
      context.losses.record("json", command.db, key);
  }
}

function changeByMSet(context: JournalContext, command: JournalCommand, at: number): void {
  const { plan, encoder, losses } = context;
  const key = command.arg(at);
  switch (plan.json) {
    case "fail":
      return refuseFeature("json", command.db, key);
    case "native":
      encoder.begin(4);
      encoder.argText("JSON.SET");
      for (let i = at; i < at + 3; i++) encoder.arg(command.arg(i));
      return;
    case "convert":
      return editDocument(context, command, key, ["JSON.SET", ...textsOf(command, at, at + 3)]);
    case "drop":
      losses.record("json", command.db, key);
  }
}

function editDocument(context: JournalContext, command: JournalCommand, key: Slice, words: readonly string[]): void {
  const { dialect } = documentRules(context.sourceVersion?.());
  context.editDocument({
    db: command.db,
    key: key.toBuffer(),
    lsn: command.lsn,
    words,
    change: (text) => applyJsonCommand(words, text, dialect),
  });
}

function wordsOf(command: JournalCommand): readonly string[] {
  return [nameOf(command), ...textsOf(command, 1, command.argc)];
}

function textsOf(command: JournalCommand, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => command.arg(from + i).toText());
}

function nameOf(command: JournalCommand): string {
  return command.arg(0).toLatin1().toUpperCase();
}

function isReplacedLater(command: JournalCommand, at: number): boolean {
  const key = command.arg(at).view();
  for (let later = at + 3; later + 2 < command.argc; later += 3) {
    if (isRoot(command.arg(later + 1)) && command.arg(later).view().equals(key)) return true;
  }
  return false;
}

function deleteKey({ encoder, deadlines }: JournalContext, command: JournalCommand, key: Slice): void {
  deadlines.forget(command.db, key);
  encoder.begin(2);
  encoder.argText("DEL");
  encoder.arg(key);
}

/** Left to the target's judgement where it knows the command, recorded elsewhere. */
function passCutShort(context: JournalContext, command: JournalCommand): void {
  if (context.plan.json === "native") passEntry(context.encoder, command);
  else context.unrunnable(command, "the entry is cut short, so it cannot be told what it did");
}
