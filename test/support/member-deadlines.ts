/**
 * What a recording's commands say about deadlines that passed while it was made. The journal is silent when members of hashes and sets expire, so a
 * target without deadlines of members keeps them; and a key that was PERSISTed in time is lost when its earlier deadline is replayed too late.
 * Only deadlines short enough to have passed during the recording count: anything else must be equal.
 */
import { type RecordedCommand, recordedBytes } from "./recordings.ts";
import { type Bytes, keyName } from "./server-state.ts";
import type { Leftovers } from "./compare-values.ts";

/** No recording lasts longer; deadlines in them are either far below or far above. */
const SHORT_S = 3600;

export type PassedDeadlines = {
  /** By `keyName`: elements that the master lost without a word. */
  readonly leftovers: ReadonlyMap<string, Leftovers>;
  /** `keyName`s of keys that had a short deadline before they were persisted. */
  readonly persisted: ReadonlySet<string>;
};

export function passedDeadlines(commands: readonly RecordedCommand[]): PassedDeadlines {
  const leftovers = new Map<string, Map<Bytes, Bytes>>();
  const shortLived = new Set<string>();
  const persisted = new Set<string>();
  let db = 0;
  for (const { command } of commands) {
    const [name = "", key = "", ...args] = command.map((argument) => recordedBytes(argument).toString("latin1"));
    if (name.toUpperCase() === "SELECT") db = Number(key);
    const id = keyName(db, key);
    const short = shortMembers(name.toUpperCase(), args);
    if (short.length > 0) leftovers.set(id, new Map([...(leftovers.get(id) ?? []), ...short]));
    if (setsShortDeadline(name.toUpperCase(), args)) shortLived.add(id);
    if (name.toUpperCase() === "PERSIST" && shortLived.has(id)) persisted.add(id);
  }
  return { leftovers, persisted };
}

/** Elements that the command gave a short deadline, with their values where it sets them. */
function shortMembers(name: string, args: readonly Bytes[]): [Bytes, Bytes][] {
  if (name !== "SADDEX" && name !== "HSETEX") return [];
  const at = args.findIndex((argument) => /^\d+$/.test(argument));
  if (at < 0 || Number(args[at]) > SHORT_S) return [];
  const rest = args.slice(at + 1);
  if (name === "SADDEX") return rest.map((member) => [member, ""]);
  return rest.flatMap((field, i): [Bytes, Bytes][] => (i % 2 === 0 ? [[field, rest[i + 1] ?? ""]] : []));
}

function setsShortDeadline(name: string, args: readonly Bytes[]): boolean {
  if (name === "PEXPIRE") return Number(args[0]) <= SHORT_S * 1000;
  if (name === "EXPIRE") return Number(args[0]) <= SHORT_S;
  const px = args.findIndex((argument) => argument.toUpperCase() === "PX");
  return name === "SET" && px > 0 && Number(args[px + 1]) <= SHORT_S * 1000;
}
