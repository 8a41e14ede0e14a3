/** JSON.SET and JSON.GET of whole documents and of simple paths (`$.a.b[0]`, `.a`), JSON.DEL of keys. Journaled as the client sent them. */
import { arg, OptionReader, text } from "../arguments.ts";
import type { Call } from "../call.ts";
import { CommandFamily } from "../command.ts";
import { CommandError, NO_SUCH_KEY, syntaxError } from "../command-error.ts";
import { groupByShard } from "../key-groups.ts";
import { keepsDocumentDeadlines } from "../versions.ts";

export const JSON_COMMANDS = new CommandFamily("json")
  .write("JSON.SET", -4, set)
  .write("JSON.MSET", -4, mset, [1, -1, 3])
  .write("JSON.DEL", -2, del)
  .read("JSON.GET", -2, get)
  .read("JSON.TYPE", -2, type).commands;

type Step = string | number;
type Container = Record<string, unknown> | unknown[];

/** The steps of a path; none for the root. `legacy`: without `$`, so that GET answers a value and not an array of matches. */
function parsePath(path: string): { readonly steps: readonly Step[]; readonly legacy: boolean } {
  const legacy = !path.startsWith("$");
  const rest = (legacy ? path : path.slice(1)).replace(/^(?=[^.[])/, ".");
  if (rest === "" || rest === ".") return { steps: [], legacy };
  const pieces = [
    ...rest.matchAll(/\.(?<name>[^.[\]]+)|\[(?<index>-?\d+)\]|\[(?<quote>["'])(?<quoted>.*?)\k<quote>\]/gy),
  ];
  if (pieces.map(([piece]) => piece).join("") !== rest) throw new CommandError("ERR invalid JSON path");
  const steps = pieces.map(({ groups }) =>
    groups?.["index"] === undefined ? (groups?.["name"] ?? groups?.["quoted"] ?? "") : Number(groups["index"]),
  );
  return { steps, legacy };
}

function parseDocument(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    throw new CommandError("ERR failed to parse JSON");
  }
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

function child(container: unknown, step: Step): unknown {
  if (Array.isArray(container)) return typeof step === "number" ? (container as unknown[]).at(step) : undefined;
  return isContainer(container) && typeof step === "string" && Object.hasOwn(container, step)
    ? (container as Record<string, unknown>)[step]
    : undefined;
}

function valueAt(document: unknown, steps: readonly Step[]): unknown {
  let value = document;
  for (const step of steps) value = child(value, step);
  return value;
}

function put(container: unknown, step: Step, value: unknown): boolean {
  if (Array.isArray(container) && typeof step === "number") {
    const at = step < 0 ? container.length + step : step;
    if (at < 0 || at >= container.length) return false;
    container[at] = value;
    return true;
  }
  if (!isContainer(container) || Array.isArray(container) || typeof step !== "string") return false;
  container[step] = value;
  return true;
}

function set(call: Call, args: readonly Buffer[]): void {
  const [key, value] = [arg(args, 1), parseDocument(arg(args, 3))];
  const { steps } = parsePath(text(args[2]));
  const reader = new OptionReader(args, 4);
  const condition = reader.nextWord();
  if (condition !== undefined && condition !== "NX" && condition !== "XX") throw syntaxError();
  reader.end();
  const shard = call.shard(key);
  const entry = steps.length === 0 ? call.find(shard, key) : call.findOf(shard, key, "json");
  const old = entry?.value.type === "json" ? valueAt(entry.value.document, steps) : undefined;
  if (entry === undefined && steps.length > 0) throw new CommandError("ERR new objects must be created at the root");
  const exists = steps.length === 0 ? entry !== undefined : old !== undefined;
  const refused = (condition === "NX" && exists) || (condition === "XX" && !exists);
  const done = !refused && store(call, key, { steps, value });
  if (done) call.record(shard, args);
  if (done) call.reply.ok();
  else call.reply.bulk(undefined);
}

function store(
  call: Call,
  key: Buffer,
  { steps, value }: { readonly steps: readonly Step[]; readonly value: unknown },
): boolean {
  const shard = call.shard(key);
  const last = steps.at(-1);
  if (last === undefined) {
    const old = keepsDocumentDeadlines(call.master.dragonflyVersion) ? call.find(shard, key) : undefined;
    const document = { type: "json", document: value } as const;
    const expireAtMs = old?.expireAtMs ?? -1;
    call.keyspace.put(shard, call.db, { key: Buffer.from(key), value: document, expireAtMs, sticky: false });
    return true;
  }
  const entry = call.findOf(shard, key, "json");
  if (entry === undefined) return false;
  const document = structuredClone(entry.value.document);
  if (!put(valueAt(document, steps.slice(0, -1)), last, value)) return false;
  call.change(shard, entry);
  entry.value.document = document;
  return true;
}

/** One JSON.MSET a shard, with that shard's triples. */
function mset(call: Call, args: readonly Buffer[]): void {
  if (args.length % 3 !== 1) throw syntaxError();
  const triples = new Map<Buffer, readonly [path: Buffer, document: Buffer]>();
  for (let i = 1; i < args.length; i += 3) triples.set(arg(args, i), [arg(args, i + 1), arg(args, i + 2)]);
  const parsed = [...triples].map(([key, [path, document]]) => ({
    key,
    steps: parsePath(text(path)).steps,
    value: parseDocument(document),
  }));
  for (const { key, steps, value } of parsed) store(call, key, { steps, value });
  for (const { shard, keys } of groupByShard(call, [...triples.keys()])) {
    call.recordPart(shard, [arg(args, 0), ...keys.flatMap((key) => [key, ...(triples.get(key) ?? [])])]);
  }
  call.reply.ok();
}

function del(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const { steps } = parsePath(args[2] === undefined ? "$" : text(args[2]));
  const shard = call.shard(key);
  const entry = call.findOf(shard, key, "json");
  const last = steps.at(-1);
  let count = 0;
  if (entry !== undefined && last === undefined) {
    call.remove(shard, entry);
    count = 1;
  } else if (entry !== undefined && last !== undefined && valueAt(entry.value.document, steps) !== undefined) {
    const document = structuredClone(entry.value.document);
    const parent = valueAt(document, steps.slice(0, -1));
    if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else if (isContainer(parent)) delete (parent as Record<string, unknown>)[String(last)];
    call.change(shard, entry);
    entry.value.document = document;
    count = 1;
  }
  if (entry !== undefined) call.record(shard, args);
  call.reply.integer(count);
}

/** Without a path the document; with one of `$` an array of what matches. Several paths answer an object by path. */
function get(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const paths = args.slice(2).map((path) => text(path));
  const entry = call.lookOf(call.shard(key), key, "json");
  if (entry === undefined) {
    call.reply.bulk(undefined);
    return;
  }
  const { document } = entry.value;
  const [only = "."] = paths;
  const shown =
    paths.length > 1
      ? Object.fromEntries(paths.map((path) => [path, matches(document, path)]))
      : matches(document, only);
  if (shown === undefined) throw new CommandError(NO_SUCH_KEY);
  call.reply.bulk(Buffer.from(JSON.stringify(shown)));
}

function matches(document: unknown, path: string): unknown {
  const { steps, legacy } = parsePath(path);
  const value = valueAt(document, steps);
  if (legacy) return value;
  return value === undefined ? [] : [value];
}

function type(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const entry = call.lookOf(call.shard(key), key, "json");
  const { steps, legacy } = parsePath(args[2] === undefined ? "." : text(args[2]));
  const value = entry === undefined ? undefined : valueAt(entry.value.document, steps);
  const name = value === undefined ? undefined : jsonType(value);
  if (legacy || entry === undefined) call.reply.bulk(name);
  else call.reply.bulks(name === undefined ? [] : [name]);
}

function jsonType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "object" ? "object" : typeof value;
}
