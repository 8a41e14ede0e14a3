/** Passwords, ACL users and TLS on both sides: given as an operator gives them, used on every connection, shown on none. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RecordingMaster, startRecordingMaster } from "../../src/simulator/recording-master.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { compareWithExpected, formatDifference } from "../support/expected-state.ts";
import { expectExpectedState } from "../support/recording-checks.ts";
import { openRecording } from "../support/recordings.ts";
import { freePort, startRedis } from "../support/redis-server.ts";
import { CliHere } from "../support/run-cli-here.ts";
import { until } from "../support/until.ts";

const SOURCE_SECRET = "s3cret source, with a space";
const TARGET_SECRET = "t4rget@secret:/#";
const recording = openRecording("dragonfly-1.40.1/types-4flows");

let certificates: Certificates;
let clientCert: string;
let clientKey: string;

beforeAll(() => {
  certificates = makeCertificates();
  const directory = path.dirname(certificates.caFile);
  clientCert = path.join(directory, "client.crt");
  clientKey = path.join(directory, "client.key");
  writeFileSync(clientCert, certificates.clientCert);
  writeFileSync(clientKey, certificates.clientKey);
});
afterAll(() => certificates?.[Symbol.dispose]());

/** Runs until all is acknowledged, stops as Ctrl-C does, and checks what must hold. */
async function runsWell(master: RecordingMaster, run: CliHere): Promise<void> {
  await Promise.race([
    master.whenAllAcked(),
    run.ended.then(() => {
      throw new Error(run.output);
    }),
  ]);
  run.signal("SIGINT");
  expect([await run.ended, run.stderr]).toEqual([0, expect.not.stringContaining("error")]);
  expect(master.errors).toEqual([]);
  for (const secret of [SOURCE_SECRET, TARGET_SECRET]) expect(run.output).not.toContain(secret);
}

describe.each([1, 2])("with %d workers", (workers) => {
  test("ACL users with passwords on both sides", async () => {
    await using redis = await startRedis({ password: "for the default user" });
    await using admin = await redis.client();
    await admin.call("ACL", "SETUSER", "writer", "on", `>${TARGET_SECRET}`, "~*", "&*", "+@all");
    await using master = await startRecordingMaster({ recording, user: "replica", password: SOURCE_SECRET });
    const target = `redis://writer:${encodeURIComponent(TARGET_SECRET)}@${redis.address}`;
    const args = ["--source", master.address, "--source-user", "replica", "--target", target];
    await using run = new CliHere(["replicate", ...args, "--workers", String(workers)], {
      DF2REDIS_SOURCE_PASSWORD: SOURCE_SECRET,
    });
    await runsWell(master, run);
    expect(String(await admin.call("ACL", "LIST"))).toContain("writer");
    await admin.call("CONFIG", "SET", "requirepass", "");
    const { differences } = await compareWithExpected({ recording, port: redis.port });
    expect(differences.map(formatDifference)).toEqual([]);
  });

  test("TLS on both sides, with client certificates and passwords", async () => {
    const { ca, cert, key, caFile, certFile, keyFile } = certificates;
    const plainPort = await freePort();
    await using redis = await startRedis({
      tls: { keyFile, certFile, caFile, authClients: true },
      // Beside the TLS port a plain one, for the comparison.
      args: ["--port", String(plainPort)],
    });
    await using master = await startRecordingMaster({ recording, password: SOURCE_SECRET, tls: { key, cert, ca } });
    const sides = (["source", "target"] as const).flatMap((side) => [
      [`--${side}-tls-ca`, caFile],
      [`--${side}-tls-cert`, clientCert],
      [`--${side}-tls-key`, clientKey],
    ]);
    const args = ["--source", master.address, "--target", `rediss://${redis.address}`, ...sides.flat()];
    await using run = new CliHere(["replicate", ...args, "--workers", String(workers)], {
      DF2REDIS_SOURCE_PASSWORD: SOURCE_SECRET,
    });
    await runsWell(master, run);
    const { differences } = await compareWithExpected({ recording, port: plainPort });
    expect(differences.map(formatDifference)).toEqual([]);
  });

  test("I3: over TLS, too, the last acknowledgement arrives before the flows are closed", async () => {
    const { ca, cert, key, caFile } = certificates;
    await using redis = await startRedis();
    await using client = await redis.client();
    await using master = await startRecordingMaster({ recording, tls: { key, cert } });
    const { flows } = recording.first;
    for (const { flow, stableStart } of flows) master.holdFlowAt(flow, stableStart);
    // Changes of documents wait for the target, so with them the journal could not be received while it is paused.
    const args = ["--source", master.address, "--source-tls-ca", caFile, "--target", redis.address];
    args.push("--unsupported-json", "drop");
    await using run = new CliHere(["replicate", ...args, "--workers", String(workers), "--json"]);
    expect(ca).toBe(readFileSync(caFile, "utf8"));
    await Promise.all(flows.map(({ flow, journal }) => master.whenAcked(flow, journal.startLsn)));
    await client.call("CLIENT", "PAUSE", 60_000, "WRITE");
    for (const { flow } of flows) master.releaseFlow(flow);
    const total = flows.reduce((sum, { journal }) => sum + journal.ends.length, 0);
    await until(() => Number(run.event("progress")?.["lagEntries"]) === total, "the journal to be received");
    run.signal("SIGINT");
    await run.says('"phase":"stopping"');
    await client.call("CLIENT", "UNPAUSE");
    expect(await run.ended).toBe(0);
    await master.whenClosed();
    expect(flows.map(({ flow }) => master.acks(flow).at(-1))).toEqual(flows.map(({ finalLsn }) => finalLsn));
  });
});

describe("a user with no more rights than docs/doctor.md lists", () => {
  const rule = /^ACL SETUSER (df2redis .*)$/m.exec(readFileSync("docs/doctor.md", "utf8"))?.[1] ?? "";

  test("copies, sweeps and follows as one with all of them, and doctor misses nothing", async () => {
    await using redis = await startRedis();
    await using admin = await redis.client();
    await admin.call("ACL", "SETUSER", ...rule.replace(">password", `>${TARGET_SECRET}`).split(" "));
    expect(String(await admin.call("ACL", "GETUSER", "df2redis"))).not.toContain("+@all");
    await admin.call("SET", "only here", "1");
    await using master = await startRecordingMaster({ recording });
    const target = `redis://df2redis:${encodeURIComponent(TARGET_SECRET)}@${redis.address}`;
    const addresses = ["--source", master.address, "--target", target];
    await using run = new CliHere(["replicate", "--json", ...addresses, "--conflict-policy", "overwrite"]);
    await run.says("sweep done: 1 key");
    await runsWell(master, run);
    expect(run.event("report")).toMatchObject({ rejectedCount: 0, sweep: { mode: "on", deleted: 1 } });
    const losses = run.event("report")?.["losses"] as readonly { readonly kind: string }[];
    expect(losses.map(({ kind }) => kind)).not.toContain("lua");
    expect(run.stdout).not.toContain("does not allow");
    await expectExpectedState({ recording, port: redis.port });
    await using doctor = new CliHere(["doctor", "--json", ...addresses, "--conflict-policy", "overwrite"]);
    await doctor.ended;
    const { checks } = JSON.parse(doctor.stdout) as { checks: { id: string; level: string; found: string }[] };
    const missed = checks.filter(({ id, level }) => id.startsWith("target.") && level !== "ok");
    const isOfRights = /write|restore|scripts|allowed|hidden/;
    expect(missed.filter(({ id }) => isOfRights.test(id))).toEqual([]);
  });
});

describe("TLS that does not fit", () => {
  test.each([
    [
      "a source that speaks TLS, asked in plain",
      [],
      /CONNECTION_LOST|PROTOCOL_VIOLATION/,
      /does that port speak TLS|speaks TLS on that port/i,
    ],
    [
      "a certificate that nobody vouches for",
      ["--source-tls"],
      /CONNECT_FAILED/,
      /signed by a CA that is not trusted here; give that CA/,
    ],
    [
      "a certificate for another name",
      ["--source-tls-ca", "CA", "--source-tls-server-name", "other.example"],
      /CONNECT_FAILED/,
      /its certificate is for another name/,
    ],
  ] as const)("%s", async (_, flags, code, words) => {
    const { cert, key, caFile } = certificates;
    await using redis = await startRedis();
    await using master = await startRecordingMaster({ recording, tls: { key, cert } });
    const args = flags.map((flag) => (flag === "CA" ? caFile : flag));
    const run = new CliHere(["replicate", "--source", master.address, "--target", redis.address, ...args]);
    expect([await run.ended, run.stderr]).toEqual([1, expect.stringMatching(code)]);
    expect(run.stderr).toMatch(words);
  });
});
