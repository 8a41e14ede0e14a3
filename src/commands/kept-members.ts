/** Lists, at the end of a run, the deadlines of members that df2redis has kept: from now on nobody deletes these members. */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { keyText } from "../errors/key-text.ts";
import {
  type FlowMemberDeadline,
  MEMBER_DEADLINES_FILE,
  readMemberDeadlines,
  writeMemberDeadlines,
} from "../replication/member-deadlines-file.ts";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { KeptMembersReport } from "./run-report.ts";

const SAMPLES = 10;

/** undefined when there are none; then a file of an earlier run is removed. @throws STATE_UNWRITABLE */
export async function keptMembers(
  taskDir: string,
  deadlines: readonly FlowMemberDeadline[],
): Promise<KeptMembersReport | undefined> {
  const sorted = deadlines.toSorted((a, b) => a.deadlineMs - b.deadlineMs);
  if (sorted.length === 0) {
    await removeFile(join(taskDir, MEMBER_DEADLINES_FILE));
    return undefined;
  }
  await writeMemberDeadlines(taskDir, sorted);
  // The others are not known: they were counted as lost when that came about.
  const known = sorted.filter(({ deadlineMs }) => Number.isFinite(deadlineMs));
  if (known.length === 0) return undefined;
  const samples = known.slice(0, SAMPLES).map(({ db, key, member, deadlineMs }) => ({
    db,
    key: keyText(key),
    member: keyText(member),
    deadlineMs,
  }));
  return { count: known.length, file: join(taskDir, MEMBER_DEADLINES_FILE), samples };
}

/** Where there is no such directory there is no file of an earlier run either, and this one needs none. */
async function removeFile(file: string): Promise<void> {
  try {
    await rm(file, { force: true });
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOTDIR") return;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Df2RedisError("STATE_UNWRITABLE", `${file} is of an earlier run and could not be removed: ${why}`, {
      context: { path: file },
      cause: thrown,
    });
  }
}

/** For a run that goes on where an earlier one stopped. @throws STATE_DAMAGED */
export async function loadMemberDeadlines(taskDir: string): Promise<FlowMemberDeadline[]> {
  const deadlines: FlowMemberDeadline[] = [];
  for await (const deadline of readMemberDeadlines(taskDir)) deadlines.push(deadline);
  return deadlines;
}
