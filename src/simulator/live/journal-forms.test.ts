/**
 * The journal that the live simulator writes is the one that a real master wrote for the same commands: each recording's commands go through it, and what it
 * records in the stable phase is compared with the recorded journal, flow by flow and entry by entry.
 */
import { afterEach, describe, expect, test, vi } from "vitest";
import { type RecordedEntry, recordedJournal } from "../../../test/support/recorded-journal.ts";
import {
  openRecording,
  recordedBytes,
  type RecordedCommand,
  recordedCommands,
} from "../../../test/support/recordings.ts";
import type { Recording } from "../recording.ts";
import { CommandSession } from "./command-session.ts";
import { findCommand } from "./command-table.ts";
import type { Keyspace } from "./keyspace.ts";
import type { JournalRecord } from "./shard.ts";
import { startLiveMaster } from "./server.ts";

/** Commands that the simulator does not know. What they do to the journal is left out on both sides. */
const UNSUPPORTED = new Set([
  "SETBIT",
  "BITFIELD",
  "BITOP",
  "PFADD",
  "PFMERGE",
  "EVAL",
  "SCRIPT",
  "SORT",
  "GEOADD",
  "GEORADIUS",
  "JSON.NUMINCRBY",
  "JSON.ARRAPPEND",
  "JSON.STRAPPEND",
  "JSON.TOGGLE",
  "JSON.MERGE",
]);

/** What unsupported commands write under the names of others: BITOP, PFMERGE and the script. */
const OF_UNSUPPORTED = /^(?:p4:)?(?:\w+:)?j:(?:bitor|p3|ev[123])$/;

/** About when the recordings were made. */
const START_MS = 1_795_333_000_000;
const LONG_AFTER_MS = 1_000;

type Entry = { readonly db: number; readonly args: readonly Buffer[] };

/** The entries of a flow as they are compared: without what depends on the moment, on chance or on the order of hash tables. */
function forms(entries: readonly Entry[]): string[] {
  const ids = new Map<string, string>();
  const nameId = (id: string): string => {
    if (!ids.has(id)) ids.set(id, `<id ${ids.size}>`);
    return ids.get(id) ?? id;
  };
  return entries.map(({ db, args }) => {
    const [name = "", key = "", ...rest] = args.map((word) => word.toString("latin1"));
    const line = [db, name, key, ...normalised(name, rest)].join(" ");
    return line.replaceAll(/\b1795\d{9}-\d+/g, nameId).replaceAll(/\b1795\d{9}\b/g, momentForm);
  });
}

/** How far ahead, in steps of 100 s: the recordings were made within a minute or so. */
function momentForm(ms: string): string {
  return `<now + ${Math.floor((Number(ms) - START_MS) / 100_000)}>`;
}

function normalised(name: string, rest: readonly string[]): readonly string[] {
  switch (name) {
    case "SADD":
    case "SREM":
      return rest.toSorted();
    case "ZADD":
      return /^-?[\d.]/.test(rest[0] ?? "") ? pairs(rest).toSorted() : rest;
    case "RESTORE":
      return [rest[0] ?? "", dumpForm(rest[1] ?? ""), ...rest.slice(2)];
    default:
      return rest;
  }
}

function pairs(words: readonly string[]): string[] {
  return words.flatMap((word, i) => (i % 2 === 0 ? [`${word} ${words[i + 1]}`] : []));
}

/** Type and length. Whether the bytes are right is the serializer's test. */
function dumpForm(dump: string): string {
  return `<type ${dump.charCodeAt(0)}>`;
}

function isCompared({ args }: { readonly args: readonly Buffer[] }): boolean {
  const [name = "", key = ""] = args.map((word) => word.toString("latin1"));
  return !UNSUPPORTED.has(name) && !OF_UNSUPPORTED.test(key);
}

type Played = { readonly flows: readonly (readonly JournalRecord[])[]; readonly errors: readonly string[] };

/** Sends the recording's commands to a master of as many shards; the journal is that of `phases`. */
async function play(
  recording: Recording,
  phases: readonly RecordedCommand["phase"][],
  options: { readonly withoutExpiry?: boolean } = {},
): Promise<Played> {
  let nowMs = START_MS;
  const flows: JournalRecord[][] = recording.first.flows.map(() => []);
  await using master = await startLiveMaster({ shards: flows.length, expireCycleMs: 0, nowMs: () => nowMs });
  const session = new CommandSession(master, 1);
  const errors: string[] = [];
  let recordedPhase = false;
  for (const shard of master.shards)
    shard.onRecord = (record) => void (recordedPhase && flows[shard.index]?.push(copy(record)));
  for (const { phase, command } of recordedCommands(recording)) {
    recordedPhase = phases.includes(phase);
    const args = command.map((word) => recordedBytes(word));
    const name = args[0]?.toString("latin1") ?? "";
    if (UNSUPPORTED.has(name)) continue;
    if (name !== "EXEC" && findCommand(name) === undefined) errors.push(`unknown: ${name}`);
    if (name === "SPOP") pickAsRecorded(recording, master.keyspace, args[1] ?? Buffer.alloc(0));
    // Keys with a short deadline are read after it.
    if (name === "GET" && options.withoutExpiry !== true) nowMs += LONG_AFTER_MS;
    session.execute(args);
    session.reply.flush((bytes) => {
      if (bytes.toString("latin1").startsWith("-")) errors.push(`${args.join(" ")} → ${bytes.toString("latin1")}`);
    });
  }
  return { flows, errors };
}

/** Chance takes the member that the real master's SPOP took: its last SREM of the key. */
function pickAsRecorded(recording: Recording, keyspace: Keyspace, key: Buffer): void {
  const removals = recordedJournal(recording)
    .flat()
    .filter(({ args }) => args[0]?.toString() === "SREM" && args[1]?.equals(key) === true);
  const value = keyspace.shardOf(key).get(0, key)?.value;
  const members = value?.type === "set" ? [...value.members.keys()] : [];
  const at = members.indexOf(removals.at(-1)?.args[2]?.toString("latin1") ?? "");
  vi.spyOn(Math, "random").mockReturnValueOnce((at + 0.5) / members.length);
}

function copy({ db, txid, args }: JournalRecord): JournalRecord {
  return { db, txid, args: args.map((word) => Buffer.from(word)) };
}

/**
 * Entries of one transaction have one number on both sides, entries of none have 0. The real master also gives a number to a single command that had
 * to queue for its busy shard: chance, and left out.
 */
function expectSameTransactions(ours: readonly JournalRecord[], theirs: readonly RecordedEntry[]): void {
  const theirsByOurs = new Map<number, number>([[0, 0]]);
  const pairsOfIds = ours.map(({ txid }, i) => {
    const recorded = theirs[i]?.txid ?? -1;
    if (!theirsByOurs.has(txid)) theirsByOurs.set(txid, recorded);
    return [theirsByOurs.get(txid), recorded];
  });
  const wrong = pairsOfIds.filter(([expected, recorded]) => expected !== recorded);
  const uses = (txid: number): number => theirs.filter((entry) => entry.txid === txid).length;
  expect(wrong.filter(([expected, recorded = 0]) => !(expected === 0 && uses(recorded) === 1))).toEqual([]);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the journal of the recorded commands", () => {
  test.each([
    "types",
    "types-4flows",
    "flush",
    "big",
    "big-untagged",
    "zstd",
    "lzf",
    "uncompressed",
    "partial",
    "idle",
    "takeover",
  ])("%s", async (name) => {
    const recording = openRecording(`dragonfly-1.40.1/${name}`);
    const { flows, errors } = await play(recording, ["during", "stable", "after"]);
    // Some of what was sent during the full sync came after the cut; nobody noted how much.
    const isExact = !recordedCommands(recording).some(({ phase }) => phase === "during");
    const recorded = recordedJournal(recording).map((entries) => entries.filter(isCompared));
    expect(errors).toEqual([]);
    for (const [flow, records] of flows.entries()) {
      const theirs = recorded[flow] ?? [];
      const compared = records.filter(isCompared);
      const ours = isExact ? compared : compared.slice(-theirs.length);
      expect(forms(ours), `flow ${flow}`).toEqual(forms(theirs));
      expectSameTransactions(ours, theirs);
    }
    expect(recorded.flat().length).toBeGreaterThan(0);
  });

  /**
   * When each deadline was met nobody noted, so the deletions are looked at on their own: only keys that had a deadline, and the hash whose fields had
   * all expired when it was read.
   */
  test("expiry", async () => {
    const recording = openRecording("dragonfly-1.40.1/expiry");
    const { flows, errors } = await play(recording, ["during", "stable"], { withoutExpiry: true });
    const isDeletion = ({ args }: Entry): boolean => args[0]?.toString() === "DEL";
    const recorded = recordedJournal(recording);
    expect(errors).toEqual([]);
    for (const [flow, ours] of flows.entries()) {
      const theirs = recorded[flow] ?? [];
      expect(forms(ours), `flow ${flow}`).toEqual(forms(theirs.filter((entry) => !isDeletion(entry))));
    }
    const deadlines = /^(PEXPIREAT|SET .*PXAT)/;
    const withDeadline = new Set(
      ["ehall"].concat(
        recorded.flat().flatMap(({ args }) => (deadlines.test(args.join(" ")) ? [String(args[1])] : [])),
      ),
    );
    expect(recorded.flat().filter(isDeletion).length).toBeGreaterThan(200);
    expect(recorded.flat().filter((entry) => isDeletion(entry) && !withDeadline.has(String(entry.args[1])))).toEqual(
      [],
    );
  });
});
