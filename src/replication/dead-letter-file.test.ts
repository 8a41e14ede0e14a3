import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rejection } from "../../test/support/until.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { DeadLetterFile, deadLetterLine } from "./dead-letter-file.ts";
import type { RejectedEntry } from "./rejected-entry.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const ENTRY: RejectedEntry = {
  flow: 1,
  lsn: 51,
  db: 3,
  command: "LMPOP",
  key: "shown",
  error: "ERR wrong number of arguments for 'lmpop' command",
  class: "unrunnable",
};
const KEY = { key: Buffer.from("l:1") };

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "df2redis-letters-"));
});
afterEach(() => {
  chmodSync(directory, 0o700);
  rmSync(directory, { recursive: true, force: true });
});

function fileIn(...parts: readonly string[]): DeadLetterFile {
  return new DeadLetterFile({ directory: path.join(directory, ...parts), clock: () => NOW });
}

function linesOf(file: DeadLetterFile): unknown[] {
  const text = readFileSync(file.path, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

describe("a line", () => {
  const parsed = (...args: Parameters<typeof deadLetterLine>): unknown => JSON.parse(deadLetterLine(...args));

  test("says what was left out, where and why", () => {
    expect(deadLetterLine(ENTRY, KEY, NOW)).toBe(
      `{"time":"2026-01-02T03:04:05.000Z","flow":1,"lsn":51,"db":3,"command":"LMPOP","key":"l:1","error":"ERR wrong number of arguments for 'lmpop' command","class":"unrunnable"}\n`,
    );
  });

  test("has no LSN in the snapshot, and no key where there is none", () => {
    expect(parsed({ ...ENTRY, lsn: -1 }, { key: undefined }, NOW)).toMatchObject({ lsn: null, key: null });
  });

  test("gives back every byte of key and arguments", () => {
    const binary = Buffer.from([0xff, 0x00, 0x0a, 0x41]);
    const text = 'ein "Schlüssel"\n\u2028';
    expect(parsed(ENTRY, { key: binary, args: [Buffer.from(text), binary, Buffer.alloc(0)] }, NOW)).toMatchObject({
      key: { b64: binary.toString("base64") },
      args: [text, { b64: binary.toString("base64") }, ""],
    });
    const line = deadLetterLine(ENTRY, { key: Buffer.from("a\nb") }, NOW);
    expect(line.indexOf("\n")).toBe(line.length - 1);
  });

  test("reads bytes as they cross a thread: plain arrays over part of a buffer", () => {
    const whole = new Uint8Array([1, 107, 101, 121, 2]);
    expect(parsed(ENTRY, { key: whole.subarray(1, 4) }, NOW)).toMatchObject({ key: "key" });
  });
});

describe("the file", () => {
  test("is made with its directory for the first entry, for the owner's eyes alone", async () => {
    const file = fileIn("state", "task");
    expect(() => statSync(path.dirname(file.path))).toThrow(/ENOENT/);
    await file.append(ENTRY, KEY);
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    expect(linesOf(file)).toHaveLength(1);
    await file.close();
  });

  test("holds every entry in order, those that came at once too, and is complete when append resolves", async () => {
    const file = fileIn();
    const appended = Array.from({ length: 500 }, async (_, lsn) => {
      await file.append({ ...ENTRY, lsn }, KEY);
      expect(readFileSync(file.path, "utf8")).toContain(`"lsn":${lsn},`);
    });
    await Promise.all(appended);
    await file.append({ ...ENTRY, lsn: 500 }, KEY);
    await file.close();
    expect(file.count).toBe(501);
    expect(linesOf(file)).toMatchObject(Array.from({ length: 501 }, (_, lsn) => ({ lsn })));
  });

  test("close waits for what was appended", async () => {
    const file = fileIn();
    const appended = file.append(ENTRY, KEY);
    await file.close();
    expect(linesOf(file)).toHaveLength(1);
    await appended;
  });

  test("is continued by the next run, on a new line even behind half a line", async () => {
    const first = fileIn();
    await first.append(ENTRY, KEY);
    await first.close();
    const whole = readFileSync(first.path, "utf8");
    writeFileSync(first.path, whole + whole.slice(0, 20));
    const second = fileIn();
    await second.append({ ...ENTRY, lsn: 52 }, KEY);
    await second.close();
    const lines = readFileSync(second.path, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => line.slice(0, 20))).toEqual(Array(3).fill(whole.slice(0, 20)));
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ lsn: 52 });
  });

  test("that cannot be written is an error for every entry, the later ones too", async () => {
    // A directory stands in its place: not even root can write it.
    const file = fileIn();
    mkdirSync(file.path);
    const waiting = [file.append(ENTRY, KEY), file.append(ENTRY, KEY)];
    const errors = await Promise.all(waiting.map((one) => rejection<Df2RedisError>(one)));
    rmSync(file.path, { recursive: true });
    errors.push(await rejection<Df2RedisError>(file.append(ENTRY, KEY)));
    for (const error of errors) {
      expect(error.code).toBe("STATE_UNWRITABLE");
      expect(error.message).toContain(file.path);
      expect(error.message).toContain("EISDIR");
    }
    await file.close();
    expect(file.count).toBe(0);
  });

  test("on a full disk is such an error", async () => {
    const file = new DeadLetterFile({ directory: "/dev/full", clock: () => NOW });
    expect((await rejection<Df2RedisError>(file.append(ENTRY, KEY))).code).toBe("STATE_UNWRITABLE");
  });
});
