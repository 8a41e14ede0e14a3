/**
 * What an operator sees when something is not as it should be: exit code 1, plain words on what happened and what to do, and never a password.
 * The command line runs in this process, with the product's own run behind it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RecordedFlow } from "../../src/simulator/recording.ts";
import { type RecordingMaster, startRecordingMaster } from "../../src/simulator/recording-master.ts";
import { expectExpectedState } from "../support/recording-checks.ts";
import { expectedLines, openRecording, recordedBytes } from "../support/recordings.ts";
import { freePort, type RedisServer, startRedis } from "../support/redis-server.ts";
import { CliHere } from "../support/run-cli-here.ts";
import type { RespClient } from "../support/resp-client.ts";
import { type Script, scriptedServer } from "../support/scripted-server.ts";

const SOURCE_SECRET = "S0urce-hunter2";
const TARGET_SECRET = "T4rget-hunter2";
const WRONG_SECRET = "Wr0ng-hunter2";

const recording = openRecording("dragonfly-1.40.1/types");
const [flow0, flow1] = recording.first.flows as [RecordedFlow, RecordedFlow];

let redis: RedisServer;
let client: RespClient;
let master: RecordingMaster;
let logDir: string;

beforeAll(async () => {
  redis = await startRedis();
  client = await redis.client();
});
afterAll(async () => {
  client?.close();
  await redis?.stop();
});
beforeEach(async () => {
  logDir = mkdtempSync(path.join(tmpdir(), "df2redis-log-"));
  master = await startRecordingMaster({ recording });
  await client.call("FLUSHALL");
  await client.call("CONFIG", "RESETSTAT");
});
afterEach(async () => {
  await master.stop();
  rmSync(logDir, { recursive: true, force: true });
});

type Run = {
  readonly source?: string;
  readonly target?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
};

function start({ source = master.address, target = redis.address, env = {}, args = [] }: Run): CliHere {
  // The whole log, in the file and on standard error: a secret has the most places to appear.
  const log = ["--log-dir", logDir, "--log-level", "debug"];
  return new CliHere(["replicate", "--source", source, "--target", target, ...log, ...args], {
    ...env,
    DF2REDIS_ADVANCED_CONNECT_TIMEOUT_MS: "3000",
  });
}

function logged(): string {
  return readdirSync(logDir)
    .map((file) => readFileSync(path.join(logDir, file), "utf8"))
    .join("");
}

/** Ends as a failure should; gives what was said on standard error. */
async function failure(run: CliHere, code: string): Promise<string> {
  expect([await run.ended, run.output]).toEqual([1, expect.stringContaining(`error ${code}: `)]);
  expect(run.stderr).toContain("what to do: ");
  // The reader of a log must find the end of the run in it.
  expect(logged()).toContain(code);
  for (const secret of [SOURCE_SECRET, TARGET_SECRET, WRONG_SECRET]) {
    expect(run.output).not.toContain(secret);
    expect(logged()).not.toContain(secret);
  }
  return run.stderr;
}

async function failsWith(code: string, run: Run): Promise<string> {
  return await failure(start(run), code);
}

const AS_APP = { DF2REDIS_TARGET_USER: "app", DF2REDIS_TARGET_PASSWORD: TARGET_SECRET };

/** The user of `AS_APP`, who may run all but that. */
async function forbid(command: string): Promise<void> {
  await client.call("ACL", "SETUSER", "app", "reset", "on", `>${TARGET_SECRET}`, "~*", "&*", "+@all", `-${command}`);
}

describe("the target", () => {
  test("is down", async () => {
    const target = `127.0.0.1:${await freePort()}`;
    const words = await failsWith("CONNECT_FAILED", { target });
    expect(words).toContain(`Cannot connect to the target Redis at ${target}: nothing listens there`);
    expect(master.sessionCount).toBe(0);
  });

  test.each([
    ["the wrong password", WRONG_SECRET, 'does not accept the password of user "default"'],
    ["no password", undefined, "wants a password, and none was given"],
  ])("gets %s", async (_, password, words) => {
    await using secured = await startRedis({ password: TARGET_SECRET });
    const env = password === undefined ? {} : { DF2REDIS_TARGET_PASSWORD: password };
    expect(await failsWith("AUTH_FAILED", { target: secured.address, env })).toContain(words);
    expect(master.sessionCount).toBe(0);
  });

  test("gets a wrong password in its URL, which is not shown either", async () => {
    await using secured = await startRedis({ password: TARGET_SECRET });
    const target = `redis://default:${WRONG_SECRET}@${secured.address}`;
    expect(await failsWith("AUTH_FAILED", { target })).toContain("does not accept the password");
  });

  test("is a read-only replica", async () => {
    await using replica = await startRedis({ args: ["--replicaof", "127.0.0.1", String(await freePort())] });
    const words = await failsWith("TARGET_UNSUITABLE", { target: replica.address });
    expect(words).toContain("is a replica of 127.0.0.1:");
    expect(master.sessionCount).toBe(0);
  });

  test("has too few databases: nothing is written into another one", async () => {
    await using small = await startRedis({ args: ["--databases", "1"] });
    const words = await failsWith("TARGET_UNSUITABLE", { target: small.address });
    expect(words).toMatch(/the source has data in database [15], but the target has only 1 databases/);
    await expectOnlyDatabase0(small);
  });

  test("has too few databases and hides its configuration: nothing is written into another one", async () => {
    await using small = await startRedis({ args: ["--databases", "1"] });
    await using admin = await small.client();
    await admin.call("ACL", "SETUSER", "app", "on", `>${TARGET_SECRET}`, "~*", "&*", "+@all", "-config");
    const env = { DF2REDIS_TARGET_USER: "app", DF2REDIS_TARGET_PASSWORD: TARGET_SECRET };
    await failsWith("TARGET_UNSUITABLE", { target: small.address, env });
    await expectOnlyDatabase0(small);
  });

  test("may not be written to with RESTORE: everything goes by other commands", async () => {
    await forbid("restore");
    await using run = start({ env: AS_APP });
    await master.whenAllAcked();
    run.signal("SIGINT");
    expect(await run.ended).toBe(0);
    expect(run.stdout).not.toContain("refused");
    await expectExpectedState({ recording, port: redis.port });
    expect(String(await client.call("INFO", "commandstats"))).not.toMatch(
      /cmdstat_restore:.*[^_]calls=[1-9]\d*,usec=[1-9]/,
    );
  });

  test("may not be written to with RESTORE, which target.writeMode asks for", async () => {
    await forbid("restore");
    const words = await failsWith("TARGET_UNSUITABLE", { env: AS_APP, args: ["--write-mode", "restore"] });
    expect(words).toContain("RESTORE, which target.writeMode: restore needs");
    expect(master.sessionCount).toBe(0);
  });

  test("may not be written to with a command that is needed: key, command and its words are named", async () => {
    await forbid("rpush");
    const words = await failsWith("TARGET_REJECTED", { env: AS_APP });
    expect(words).toMatch(
      /the target refused RPUSH of key "[^"]+" in database \d+ \(flow \d, (at LSN \d+|while the snapshot was written)\): NOPERM/,
    );
    expect(words).toMatch(/where: .*command RPUSH/);
  });

  const FULL = ["--maxmemory", "1", "--maxmemory-policy", "noeviction"];

  test("is out of memory and the run may not wait: key, command and its words are named", async () => {
    await using full = await startRedis({ args: FULL });
    const env = { DF2REDIS_ERRORS_RETRY_SECONDS: "0" };
    const words = await failsWith("TARGET_REJECTED", { target: full.address, env });
    expect(words).toMatch(/the target refused [A-Z]+ of key "[^"]+" in database \d+ .*: OOM command not allowed/);
  });

  test("is out of memory for longer than the run may wait: the server's words and the time are named", async () => {
    await using full = await startRedis({ args: FULL });
    const env = { DF2REDIS_ERRORS_RETRY_SECONDS: "1" };
    const run = start({ target: full.address, env });
    const words = await failure(run, "TARGET_NOT_READY");
    expect(run.stdout).toContain("the target takes no writes now, waiting and trying again: OOM command not allowed");
    expect(words).toMatch(
      /cannot take writes: OOM command not allowed .* It was tried for \d+(\.\d)? s; \d+ commands wait/,
    );
    expect([master.acks(0), master.acks(1)]).toEqual([[], []]);
  });

  test("is out of memory until it is given some: the run waits and goes on", async () => {
    await using full = await startRedis({ args: FULL });
    await using admin = await full.client();
    await using run = start({ target: full.address });
    await run.says("the target takes no writes now, waiting and trying again: OOM");
    expect([master.acks(0), master.acks(1)]).toEqual([[], []]);
    await admin.call("CONFIG", "SET", "maxmemory", "0");
    await run.says("the target takes writes again");
    await master.whenAllAcked();
    run.signal("SIGINT");
    expect(await run.ended).toBe(0);
    await expectExpectedState({ recording, port: full.port });
  });

  test("dies in the middle of a snapshot", async () => {
    await using dying = await startRedis();
    master.holdFlowAt(1, flow1.syncEnd - 1);
    await using run = start({ target: dying.address });
    await run.says("copying the snapshot");
    await master.whenSent(1, flow1.syncEnd - 1);
    await dying.crash();
    const words = await failure(run, "CONNECTION_LOST");
    expect(words).toMatch(/The connection to the target Redis at .* was (closed|reset) by the other side/);
    await master.whenClosed();
    expect([master.acks(0), master.acks(1)]).toEqual([[], []]);
  });

  test("dies in the middle of the journal: what was not confirmed is not acknowledged", async () => {
    await using dying = await startRedis();
    for (const { flow, stableStart } of [flow0, flow1]) master.holdFlowAt(flow, stableStart);
    await using run = start({ target: dying.address });
    await Promise.all([master.whenAcked(0, flow0.journal.startLsn), master.whenAcked(1, flow1.journal.startLsn)]);
    await using other = await dying.client();
    await other.call("CLIENT", "PAUSE", 60_000, "WRITE");
    for (const { flow } of [flow0, flow1]) master.releaseFlow(flow);
    await master.whenSent(0, flow0.master.length);
    await master.whenSent(1, flow1.master.length);
    await dying.crash();
    await failure(run, "CONNECTION_LOST");
    await master.whenClosed();
    expect([master.acks(0).at(-1), master.acks(1).at(-1)]).toEqual([flow0.journal.startLsn, flow1.journal.startLsn]);
  });
});

/** What the source has in other databases alone was not written here. */
async function expectOnlyDatabase0(server: RedisServer): Promise<void> {
  await using reader = await server.client();
  const keys = (await reader.call("KEYS", "*")) as Buffer[];
  const [own, foreign] = [true, false].map((isOwn) => recordedKeys().filter(([db]) => (db === 0) === isOwn));
  const names = new Set(own?.map(([, key]) => key));
  expect(keys.map((key) => key.toString("latin1")).filter((key) => !names.has(key))).toEqual([]);
  expect(foreign?.filter(([, key]) => !names.has(key)).length).toBeGreaterThan(3);
}

describe("the source", () => {
  test("is down", async () => {
    const source = `127.0.0.1:${await freePort()}`;
    const words = await failsWith("CONNECT_FAILED", { source });
    expect(words).toContain(`Cannot connect to the source Dragonfly at ${source}: nothing listens there`);
  });

  test("gets the wrong password", async () => {
    await using secured = await startRecordingMaster({ recording, password: SOURCE_SECRET });
    const env = { DF2REDIS_SOURCE_PASSWORD: WRONG_SECRET };
    expect(await failsWith("AUTH_FAILED", { source: secured.address, env })).toContain("does not accept the password");
  });

  test("gets no password", async () => {
    await using secured = await startRecordingMaster({ recording, password: SOURCE_SECRET });
    expect(await failsWith("AUTH_FAILED", { source: secured.address })).toContain(
      "wants a password, and none was given",
    );
  });

  test("is a plain Redis", async () => {
    await using plain = await startRedis();
    const words = await failsWith("NOT_A_DRAGONFLY", { source: plain.address });
    expect(words).toMatch(/The source Dragonfly at .* is .*Redis 7\.0/);
  });

  test.each<[string, Script, RegExp]>([
    [
      "speaks HTTP",
      { answer: () => "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" },
      /an HTTP server answers there/,
    ],
    ["closes every connection", { onConnection: (socket) => socket.destroy() }, /source/],
  ])("%s", async (_, script, words) => {
    await using odd = await scriptedServer(script);
    const run = start({ source: `127.0.0.1:${odd.port}` });
    expect(await run.ended).toBe(1);
    expect(run.stderr).toMatch(words);
    expect(run.stderr).toContain("what to do: ");
  });

  test("closes one flow in the middle", async () => {
    master.holdFlowAt(0, flow0.syncEnd - 1);
    master.holdFlowAt(1, flow1.syncEnd - 1);
    await using run = start({});
    await run.says("copying the snapshot");
    await master.whenSent(0, flow0.syncEnd - 1);
    master.cutFlows();
    const words = await failure(run, "CONNECTION_LOST");
    expect(words).toContain(`The connection to the source Dragonfly at ${master.address} was closed by the other side`);
    expect(words).toMatch(/where: .*flow [01]/);
    expect(words).toContain("A Dragonfly closes every flow when one of them breaks or stalls");
  });
});

describe("--json", () => {
  test("tells the same as one event, and standard output holds nothing else", async () => {
    const target = `127.0.0.1:${await freePort()}`;
    const run = start({ target, args: ["--json"] });
    expect(await run.ended).toBe(1);
    const events = run.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.at(-1)).toMatchObject({
      event: "error",
      error: { code: "CONNECT_FAILED", retryable: true, context: { role: "target", address: target } },
    });
  });
});

describe("I10: the log", () => {
  test("names no key of the data when the target refuses one; the operator's terminal does", async () => {
    await forbid("rpush");
    const run = start({ env: AS_APP });
    await failure(run, "TARGET_REJECTED");
    const [, key = "?"] = /of key "([^"]+)"/.exec(run.stderr) ?? [];
    expect(recordedKeys().map(([, name]) => name)).toContain(key);
    expect(logged()).toContain("TARGET_REJECTED");
    expect(logged()).not.toContain(key);
  });

  test("of a run that goes well holds no secret and no key", async () => {
    await using secured = await startRedis({ password: TARGET_SECRET });
    await using source = await startRecordingMaster({ recording, password: SOURCE_SECRET });
    const env = { DF2REDIS_SOURCE_PASSWORD: SOURCE_SECRET, DF2REDIS_TARGET_PASSWORD: TARGET_SECRET };
    await using run = start({ source: source.address, target: secured.address, env });
    await source.whenAllAcked();
    run.signal("SIGINT");
    expect(await run.ended).toBe(0);
    const text = logged();
    expect(text.split("\n").length).toBeGreaterThan(5);
    for (const secret of [SOURCE_SECRET, TARGET_SECRET]) expect(run.output + text).not.toContain(secret);
    // Some keys are called as the kinds of losses are.
    const keys = recordedKeys()
      .map(([, key]) => key)
      .filter((key) => key.includes(":"));
    expect(keys.length).toBeGreaterThan(100);
    expect(keys.filter((key) => text.includes(`"${key}"`))).toEqual([]);
  });
});

/** Database and key, one character a byte. */
function recordedKeys(): [number, string][] {
  return expectedLines(recording).map(({ db, key }) => [db, recordedBytes(key).toString("latin1")]);
}
