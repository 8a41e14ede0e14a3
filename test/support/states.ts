/** What two servers hold, to be compared: read, put under other names, laid over each other. Independent of the product's own mapping. */
import type { RespClient } from "./resp-client.ts";
import { type KeyState, keyName, readServerState, type Value } from "./server-state.ts";

/** By `db key`. */
export type States = Map<string, Pick<KeyState, "db" | "key" | "expireAt" | "value">>;

/** Everything that a server holds. A document is its text, of a server that has documents as of one that keeps text. */
export async function statesOf(client: RespClient): Promise<States> {
  const states: States = new Map();
  for (const { db, key, expireAt, value } of (await readServerState(client)).values()) {
    const document = isDocument(value) ? await readDocument(client, db, key) : value;
    states.set(keyName(db, key), { db, key, expireAt, value: inOneForm(document) });
  }
  await client.call("SELECT", 0);
  return states;
}

function isDocument(value: Value): boolean {
  return value.type === "other" && value.name === "ReJSON-RL";
}

async function readDocument(client: RespClient, db: number, key: string): Promise<Value> {
  await client.call("SELECT", db);
  const text = await client.call("JSON.GET", Buffer.from(key, "latin1"));
  return { type: "string", text: Buffer.isBuffer(text) ? text.toString("latin1") : "" };
}

/** The order of a document's members is nobody's promise. */
function inOneForm(value: Value): Value {
  if (value.type !== "string" || !/^[[{]/.test(value.text)) return value;
  try {
    return { type: "string", text: JSON.stringify(sorted(JSON.parse(value.text))) };
  } catch {
    return value;
  }
}

function sorted(part: unknown): unknown {
  if (Array.isArray(part)) return part.map((one) => sorted(one));
  if (typeof part !== "object" || part === null) return part;
  const members = Object.entries(part).map(([name, one]) => [name, sorted(one)] as const);
  return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** @param place where a key of the source is to be found on the target */
export function placed(states: States, place: (db: number, key: string) => readonly [db: number, key: string]): States {
  const moved: States = new Map();
  for (const state of states.values()) {
    const [db, key] = place(state.db, state.key);
    if (moved.has(keyName(db, key))) throw new Error(`two keys have the place ${keyName(db, key)}`);
    moved.set(keyName(db, key), { ...state, db, key });
  }
  return moved;
}

/** Both; of a key that both have, the second's. */
export function over(below: States, above: States): States {
  return new Map([...below, ...above]);
}

export function without(states: States, isOut: (db: number, key: string) => boolean): States {
  return new Map([...states].filter(([, { db, key }]) => !isOut(db, key)));
}

/** One line a difference, for `expect(…).toEqual([])`. */
export function differences(actual: States, expected: States): string[] {
  const found: string[] = [];
  for (const [name, state] of expected) {
    const other = actual.get(name);
    if (other === undefined) found.push(`${name}: missing, expected ${textOf(state)}`);
    else if (textOf(other) !== textOf(state)) found.push(`${name}: ${textOf(other)}, expected ${textOf(state)}`);
  }
  for (const [name, state] of actual) if (!expected.has(name)) found.push(`${name}: too many, ${textOf(state)}`);
  return found;
}

function textOf({ expireAt, value }: Pick<KeyState, "expireAt" | "value">): string {
  const plain = JSON.stringify({ expireAt, value }, (_, part: unknown) => {
    if (part instanceof Set) return [...(part as ReadonlySet<string>)].toSorted((a, b) => (a < b ? -1 : 1));
    if (!(part instanceof Map)) return part;
    return [...(part as ReadonlyMap<string, string>)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  });
  return plain.length > 300 ? `${plain.slice(0, 200)}… of ${plain.length}, ${checksum(plain)}` : plain;
}

function checksum(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0;
  return sum;
}
