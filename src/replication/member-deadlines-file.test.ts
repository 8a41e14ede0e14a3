import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type MemberKind, UNKNOWN_DEADLINE_MS } from "../target/translate/member-deadlines.ts";
import {
  type FlowMemberDeadline,
  MEMBER_DEADLINES_FILE,
  memberDeadlineLine,
  readMemberDeadlines,
  writeMemberDeadlines,
} from "./member-deadlines-file.ts";

const AT = 1_700_000_000_000;

let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "df2redis-members-"));
});
afterEach(() => rm(directory, { recursive: true }));

function entry(member: string | Buffer, kind: MemberKind = "member", certain = true): FlowMemberDeadline {
  return { flow: 1, db: 2, key: Buffer.from("key"), member: Buffer.from(member), kind, deadlineMs: AT, certain };
}

async function readAll(): Promise<FlowMemberDeadline[]> {
  const entries: FlowMemberDeadline[] = [];
  for await (const one of readMemberDeadlines(directory)) entries.push(one);
  return entries;
}

describe("the file of member deadlines", () => {
  test("reads back what it wrote, bytes of any kind included", async () => {
    const entries = [
      entry("m"),
      entry('a "quoted"\nline\r\u2028\u2029'),
      entry(Buffer.from([0xff, 0, 10, 13]), "field"),
      entry("", "either", false),
      { ...entry("unknown", "field", false), deadlineMs: UNKNOWN_DEADLINE_MS },
    ];
    expect(await writeMemberDeadlines(directory, entries)).toBe(5);
    expect(await readAll()).toEqual(entries);
    expect(await readdir(directory)).toEqual([MEMBER_DEADLINES_FILE]);
  });

  test("is lines of JSON", () => {
    expect(memberDeadlineLine(entry("m"))).toBe(
      `{"flow":1,"db":2,"key":"key","member":"m","kind":"member","deadline":${AT}}\n`,
    );
    expect(memberDeadlineLine(entry(Buffer.from([0xff]), "field", false))).toBe(
      `{"flow":1,"db":2,"key":"key","member":{"b64":"/w=="},"kind":"field","deadline":${AT},"unsure":true}\n`,
    );
  });

  test("many lines", async () => {
    const entries = Array.from({ length: 10_000 }, (_, i) => entry(`member ${i}`));
    expect(await writeMemberDeadlines(directory, entries)).toBe(10_000);
    expect(await readAll()).toEqual(entries);
  });

  test("no file is no entries, and no entries is no file", async () => {
    expect(await readAll()).toEqual([]);
    await writeMemberDeadlines(directory, [entry("m")]);
    expect(await writeMemberDeadlines(directory, [])).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });

  test("a file that cannot be written leaves the older one as it was", async () => {
    await writeMemberDeadlines(directory, [entry("old")]);
    const failing = (function* () {
      yield entry("new");
      throw new RangeError("no more");
    })();
    await expect(writeMemberDeadlines(directory, failing)).rejects.toMatchObject({ code: "STATE_UNWRITABLE" });
    expect(await readAll()).toEqual([entry("old")]);
    expect(await readdir(directory)).toEqual([MEMBER_DEADLINES_FILE]);
  });

  test("a directory that cannot be made", async () => {
    const file = path.join(directory, "file");
    await writeFile(file, "");
    await expect(writeMemberDeadlines(path.join(file, "x"), [])).rejects.toMatchObject({ code: "STATE_UNWRITABLE" });
  });

  test.each([
    ["cut short", (text: string) => text.slice(0, -10)],
    ["no JSON", (text: string) => `${text}nonsense\n`],
    ["an unknown kind", (text: string) => text.replace('"member","deadline"', '"list","deadline"')],
    ["no deadline", (text: string) => text.replace(/,"deadline":\d+/, "")],
    ["bytes that are no base64", (text: string) => text.replace('"m"', '{"b64":"?"}')],
  ])("a damaged line is an error: %s", async (_name, damage) => {
    await writeMemberDeadlines(directory, [entry("m")]);
    const file = path.join(directory, MEMBER_DEADLINES_FILE);
    await writeFile(file, damage(await readFile(file, "utf8")));
    await expect(readAll()).rejects.toMatchObject({ code: "STATE_DAMAGED" });
  });
});
