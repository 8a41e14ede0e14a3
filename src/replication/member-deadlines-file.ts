/**
 * Deadlines of members that df2redis keeps, as a file: what remains at the end of a run, and what the next run needs when it goes on where this
 * one stopped. One JSON object a line: `{"flow":0,"db":0,"key":"k","member":"m","kind":"member","deadline":1700000000000}`, deadlines in Unix ms, null for unknown;
 * bytes that are not UTF-8 are `{"b64":"…"}`. `"unsure":true` marks a member that may not have existed when its deadline was set.
 * Written whole or not at all: into a file beside it, synced, then renamed. A file that cannot be read as it was written is an error: a deadline that
 * is missing in silence would keep its member for good.
 */
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { type MemberDeadline, UNKNOWN_DEADLINE_MS } from "../target/translate/member-deadlines.ts";
import { bytesOfJson, jsonBytes } from "./json-bytes.ts";

export const MEMBER_DEADLINES_FILE = "member-deadlines.ndjson";

/** With the flow that its key belongs to. */
export type FlowMemberDeadline = MemberDeadline & { readonly flow: number };

/** As it comes out of another thread, where a Buffer arrives as plain bytes. */
export function withBuffers(deadline: FlowMemberDeadline): FlowMemberDeadline {
  return { ...deadline, key: toBuffer(deadline.key), member: toBuffer(deadline.member) };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const WRITE_BYTES = 256 * 1024;

const bytesSchema = z.union([z.string(), z.strictObject({ b64: z.base64() })]);
const lineSchema = z.strictObject({
  flow: z.int().min(0),
  db: z.int().min(0),
  key: bytesSchema,
  member: bytesSchema,
  kind: z.enum(["field", "member", "either"]),
  deadline: z.int().nullable(),
  unsure: z.literal(true).optional(),
});

/** Replaces the file in `directory`, which is made when it is not there. Without entries the file is removed. @returns lines. @throws STATE_UNWRITABLE */
export async function writeMemberDeadlines(directory: string, entries: Iterable<FlowMemberDeadline>): Promise<number> {
  const file = path.join(directory, MEMBER_DEADLINES_FILE);
  const scratch = `${file}.tmp`;
  try {
    await mkdir(directory, { recursive: true });
    const lines = await writeLines(scratch, entries);
    if (lines > 0) await rename(scratch, file);
    else await Promise.all([rm(scratch, { force: true }), rm(file, { force: true })]);
    return lines;
  } catch (thrown) {
    await rm(scratch, { force: true }).catch(() => undefined);
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Df2RedisError("STATE_UNWRITABLE", `the deadlines of members could not be written to ${file}: ${why}`, {
      context: { path: file },
      cause: thrown,
    });
  }
}

async function writeLines(file: string, entries: Iterable<FlowMemberDeadline>): Promise<number> {
  const handle = await open(file, "w", 0o600);
  let lines = 0;
  let text = "";
  try {
    for (const entry of entries) {
      text += memberDeadlineLine(entry);
      lines++;
      if (text.length < WRITE_BYTES) continue;
      await handle.appendFile(text);
      text = "";
    }
    await handle.appendFile(text);
    await handle.sync();
    return lines;
  } finally {
    await handle.close();
  }
}

/** One line with its newline. */
export function memberDeadlineLine({ flow, db, key, member, kind, deadlineMs, certain }: FlowMemberDeadline): string {
  const line = {
    flow,
    db,
    key: jsonBytes(key),
    member: jsonBytes(member),
    kind,
    deadline: Number.isFinite(deadlineMs) ? deadlineMs : null,
  };
  const text = JSON.stringify(certain ? line : { ...line, unsure: true });
  // Readers of lines, that of Node.js among them, take these for the end of one.
  return `${text.replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029")}\n`;
}

/** None when there is no file. @throws STATE_DAMAGED */
export async function* readMemberDeadlines(directory: string): AsyncGenerator<FlowMemberDeadline, void, void> {
  const file = path.join(directory, MEMBER_DEADLINES_FILE);
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      yield parseLine(line);
    }
  } catch (thrown) {
    if (isMissing(thrown)) return;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Df2RedisError("STATE_DAMAGED", `${file}, line ${number}, is not as df2redis writes it: ${why}`, {
      context: { path: file, line: number },
      cause: thrown,
    });
  }
}

function parseLine(line: string): FlowMemberDeadline {
  const { flow, db, key, member, kind, deadline, unsure } = lineSchema.parse(JSON.parse(line));
  return {
    flow,
    db,
    key: bytesOfJson(key),
    member: bytesOfJson(member),
    kind,
    deadlineMs: deadline ?? UNKNOWN_DEADLINE_MS,
    certain: unsure !== true,
  };
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";
}
