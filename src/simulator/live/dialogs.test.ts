/** The recorded dialogs of real masters, as far as they are about the client's side: the live simulator answers each request with the same bytes. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { RawConnection } from "../../../test/support/raw-connection.ts";
import { RECORDINGS_DIRECTORY } from "../../../test/support/recordings.ts";
import { startLiveMaster } from "./server.ts";

type Dialog = { readonly context: string; readonly request: readonly string[]; readonly reply: string };

/** What differs from run to run or from machine to machine; both sides are compared with it taken out. */
const MASKS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // The length of a text whose figures are masked.
  [/^\$\d+(?=\r\n(# |id=))/, "$n"],
  [/(process_id|tcp_port|uptime_in_seconds|executable|os):[^\r]*/g, "$1:…"],
  [/master_replid:[0-9a-f]{40}/, "master_replid:…"],
  // Memory figures: a process under Node has other ones.
  [/((?:used_memory|object_used|table_used|fibers|maxmemory_human|num_buckets)\w*):[^\r]*/g, "$1:…"],
  [/(addr|laddr|fd|irqmatch|age|idle|tot-cmds|tot-net-in|tot-read-calls)=\S*/g, "$1=…"],
  // LASTSAVE: when the server was started.
  [/^:1\d{9}\r\n$/, ":…"],
];

function masked(reply: string): string {
  return MASKS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), reply);
}

function dialogs(version: string, context: string): Dialog[] {
  const lines = readFileSync(path.join(RECORDINGS_DIRECTORY, `dragonfly-${version}`, "dialogs.ndjson"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line) as Dialog).filter((dialog) => dialog.context === context);
}

/** Asked after each request: its reply shows that the request's own is complete. */
const SENTINEL = "*1\r\n$8\r\nSENTINEL\r\n";
const SENTINEL_REPLY = /(?<=.)(-ERR unknown command `SENTINEL`|-NOAUTH Authentication required\.)\r\n$/s;

async function ask(connection: RawConnection, request: readonly string[]): Promise<string> {
  const before = connection.size;
  const args = request.map((word) => `$${word.length}\r\n${word}\r\n`);
  connection.send(`*${request.length}\r\n${args.join("")}${SENTINEL}`);
  const reply = (): string => connection.bytes().toString("latin1", before);
  await connection.until(() => SENTINEL_REPLY.test(reply()));
  return reply().replace(SENTINEL_REPLY, "");
}

/** REPLCONF and DFLY are the replication side's, which is not there: only their refusals for want of rights are compared. */
function isOurs({ request, reply }: Dialog): boolean {
  return !/^(REPLCONF|DFLY)$/.test(request[0] ?? "") || /^-NO(AUTH|PERM)/.test(reply);
}

describe.each(["1.40.1", "1.27.4"])("a live master that is a %s", (version) => {
  test.each([
    { context: "idle master", requirepass: undefined, count: 51 },
    { context: "with requirepass", requirepass: "secret", count: 12 },
  ])("answers as recorded: $context", async ({ context, requirepass, count }) => {
    const auth = requirepass === undefined ? {} : { requirepass };
    await using master = await startLiveMaster({ shards: 2, dragonflyVersion: `df-v${version}`, ...auth });
    const connection = await RawConnection.open(master.port);
    const ours = dialogs(version, context).filter(isOurs);
    expect(ours.length).toBeGreaterThanOrEqual(count);
    const answers: [string, string][] = [];
    for (const { request } of ours) answers.push([request.join(" "), masked(await ask(connection, request))]);
    expect(answers).toEqual(ours.map(({ request, reply }) => [request.join(" "), masked(reply)]));
    connection.close();
  });
});
