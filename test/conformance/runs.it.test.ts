/**
 * What happens to a run of the product beside plain writes: FLUSHALL and FLUSHDB, expiry, keys that change their shard, users, passwords and TLS, a
 * link that breaks, resuming by LSN, a takeover. Against the simulator, or against a Dragonfly (test/support/test-source.ts).
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import type { Flags } from "../../src/config/flag-layer.ts";
import { DOCUMENTS_AS_TEXT, expectEqualServers } from "../support/compare-servers.ts";
import { startLoad } from "../support/load-generator.ts";
import { RedisPool } from "../support/redis-pool.ts";
import type { RespClient } from "../support/resp-client.ts";
import { openTestSource, skipUnless, type TestSource } from "../support/test-source.ts";
import { inDatabases, typesOf } from "./data-set.ts";
import { LiveRun, replicaLines, runAll, untilNoLag } from "./live-run.ts";
import { WireReplica } from "./wire-replica.ts";

const pool = new RedisPool(1);
let certificates: Certificates;
beforeAll(async () => {
  certificates = makeCertificates();
  await pool.start();
});
afterAll(async () => {
  certificates[Symbol.dispose]();
  await pool.stop();
});

function keys(prefix: string, count = 60): (readonly string[])[] {
  return Array.from({ length: count }, (_, i) => ["SET", `${prefix}:${i}`, `value ${i}`]);
}

/** Waits for something about a server that only time brings. */
async function untilSo(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await delay(20);
  }
}

describe("FLUSHALL and FLUSHDB", () => {
  test("in the stable phase they empty the target once, and what follows stays", async () => {
    await using source = await openTestSource();
    await using target = await pool.take();
    await using client = await source.client();
    await runAll(client, inDatabases(keys("before")));
    await using run = new LiveRun({ source, targetPort: target.port });
    await run.untilPhase("stable");
    await runAll(client, [
      ["SELECT", 5],
      ["FLUSHDB"],
      ...keys("after the first"),
      ["SELECT", 0],
      ...keys("still there"),
    ]);
    await run.untilCaughtUp();
    const { equalCount } = await expectEqualServers({ source: client, target: target.client });
    // 60 and 60 in database 0, 60 in database 5, two in each of two more.
    expect(equalCount).toBe(184);
    for (let i = 0; i < 5; i++)
      await runAll(client, [["FLUSHALL"], ...keys(`round ${i}`), ["SELECT", 1], ...keys("one"), ["SELECT", 0]]);
    await run.finish();
    const { equalCount: atTheEnd } = await expectEqualServers({ source: client, target: target.client });
    expect(atTheEnd).toBe(120);
  });

  test("FLUSHALL inside the snapshot ends the run: its snapshot is worth nothing", async () => {
    await using source = await openTestSource({ shards: 2 });
    await using target = await pool.take();
    await using client = await source.client();
    // More than the buffers between the two hold, so that the snapshot cannot end while the target stands still.
    await runAll(client, [["DEBUG", "POPULATE", 3000, "large", 20_000]]);
    await using run = new LiveRun({ source, targetPort: target.port });
    await run.untilPhase("handshake");
    await target.client.call("CLIENT", "PAUSE", 60_000, "WRITE");
    await run.untilPhase("full_sync");
    await untilSo(async () => (await replicaLines(client)).some(({ state }) => state === "full_sync"), "the full sync");
    await client.call("FLUSHALL");
    await target.client.call("CLIENT", "UNPAUSE");
    await expect(run.ended).rejects.toMatchObject({ code: "FLUSH_IN_SNAPSHOT" });
    await untilSo(async () => (await replicaLines(client)).length === 0, "the session's end on the source");
  });
});

describe("expiry", () => {
  test("keys that expire on the source are gone on the target, whenever they were made", async () => {
    await using source = await openTestSource();
    await using target = await pool.take();
    await using client = await source.client();
    const soon = (prefix: string, ms: number): (readonly (string | number)[])[] => [
      ...keys(prefix).map((command) => [...command, "PX", ms]),
      ["RPUSH", `${prefix}:list`, "a"],
      ["PEXPIRE", `${prefix}:list`, ms],
      ...keys(`${prefix} kept`).map((command) => [...command, "PX", 3_600_000]),
    ];
    await runAll(client, inDatabases(soon("before", 1200)));
    await using run = new LiveRun({ source, targetPort: target.port });
    await run.untilPhase("full_sync");
    await runAll(client, inDatabases(soon("during", 900)));
    await run.untilPhase("stable");
    await runAll(client, inDatabases(soon("after", 50)));
    const kept = 2 * 3 * 60;
    const held = async (server: RespClient): Promise<number> => {
      const [, zero, , five] = await server.pipeline([
        ["SELECT", 0],
        ["DBSIZE"],
        ["SELECT", 5],
        ["DBSIZE"],
        ["SELECT", 0],
      ]);
      return Number(zero) + Number(five);
    };
    for (const server of [client, target.client])
      await untilSo(async () => (await held(server)) === kept, "the keys to expire");
    const report = await run.finish();
    expect(report.rejected).toEqual([]);
    const { equalCount } = await expectEqualServers({ source: client, target: target.client });
    expect(equalCount).toBe(kept + 4);
  });
});

describe("keys that change their name", () => {
  test("RENAME and COPY of every type and size, within a shard and across 16", async () => {
    await using source = await openTestSource({ shards: 16 });
    await using target = await pool.take();
    await using client = await source.client();
    const made = typesOf("k");
    await runAll(client, made);
    const names = [
      ...new Set(
        made.map(([, key]) => key).filter((key): key is string => typeof key === "string" && key.startsWith("k:")),
      ),
    ];
    const existing = await client.pipeline(names.map((name) => ["EXISTS", name]));
    const present = names.filter((_, i) => existing[i] === 1);
    expect(present.length).toBeGreaterThan(50);
    await using run = new LiveRun({ source, targetPort: target.port });
    await run.untilPhase("stable");
    await runAll(
      client,
      present.map((name) => ["COPY", name, `copy of ${name}`]),
    );
    await runAll(
      client,
      present.map((name) => ["RENAME", name, `new ${name}`]),
    );
    // Over keys that are there, of other types.
    await runAll(
      client,
      present.map((name, i) => ["COPY", `copy of ${name}`, `new ${present[(i + 7) % present.length]}`, "REPLACE"]),
    );
    const report = await run.finish();
    expect(report.rejected).toEqual([]);
    const { equalCount } = await expectEqualServers({ source: client, target: target.client });
    expect(equalCount).toBeGreaterThanOrEqual(2 * present.length);
  });
});

describe("what a plain Redis cannot hold", () => {
  const special = (prefix: string): (readonly (string | number)[])[] => [
    ["JSON.SET", `${prefix}:json`, "$", '{"a": [1, 2.5, null], "b": "text"}'],
    ["SADDEX", `${prefix}:set`, 5000, "mortal"],
    ["SADD", `${prefix}:set`, "immortal"],
    ["SET", `${prefix}:sticky`, "x"],
    ["STICK", `${prefix}:sticky`],
  ];

  test.each<[string, Flags, Record<string, number>, Record<string, number>, Record<string, number>]>([
    [
      "is carried in another form where that can be had, counted and named",
      {},
      { [DOCUMENTS_AS_TEXT]: 2, set: 2, string: 2 },
      {},
      { jsonAsText: 2, memberTtlKept: 2, sticky: 2 },
    ],
    [
      "is left out where that is asked for, counted and named; all else of these keys is there",
      { "unsupported-json": "drop", "unsupported-member-ttl": "drop" },
      { set: 2, string: 2 },
      { "ReJSON-RL": 2 },
      { json: 2, memberTtl: 2, sticky: 2 },
    ],
  ])("%s", async (_name, flags, equal, skipped, losses) => {
    await using source = await openTestSource();
    await using target = await pool.take();
    await using client = await source.client();
    await runAll(client, special("before"));
    await using run = new LiveRun({ source, targetPort: target.port, flags });
    await run.untilPhase("stable");
    await runAll(client, special("after"));
    const report = await run.finish();
    const documents = flags["unsupported-json"] === "drop" ? "dropped" : "text";
    const found = await expectEqualServers({ source: client, target: target.client, documents });
    expect([found.equal, found.skipped]).toEqual([equal, skipped]);
    expect(Object.fromEntries(report.losses.map(({ kind, count }) => [kind, count]))).toEqual(losses);
    expect(report.keptMembers?.count).toBe(losses["memberTtlKept"]);
  });

  test("stops the run at the first one where that is asked for", async () => {
    await using source = await openTestSource();
    await using target = await pool.take();
    await using client = await source.client();
    await runAll(client, special("before"));
    await using run = new LiveRun({ source, targetPort: target.port, flags: { "unsupported-json": "fail" } });
    await expect(run.ended).rejects.toMatchObject({ code: "FEATURE_UNSUPPORTED" });
  });
});

/** Keys before the copy and after it arrive. */
async function expectSmallCopy(
  source: TestSource,
  user?: { readonly name: string; readonly password: string },
): Promise<void> {
  await using target = await pool.take();
  await using client = await source.client();
  await runAll(client, keys("before"));
  await using run = new LiveRun({ source, targetPort: target.port, ...(user && { user }) });
  await run.untilPhase("stable");
  await runAll(client, keys("after"));
  await run.finish();
  const { equalCount } = await expectEqualServers({ source: client, target: target.client });
  expect(equalCount).toBe(120);
}

describe("a release of each version of the protocol", () => {
  const byVersion = skipUnless("version");
  test.skipIf(byVersion.skip).each([
    [0, "df-v1.10.0"],
    [1, "df-v1.12.1"],
    [2, "df-v1.19.0"],
    [3, "df-v1.27.4"],
    [4, "df-v1.34.0"],
    [5, "df-v1.40.1"],
  ])(`%d, %s${byVersion.note}`, async (protocol, version) => {
    await using source = await openTestSource({ flags: { version } });
    await using replica = await WireReplica.join(source);
    expect(replica.greeting.version).toBe(protocol);
    replica.control.close();
    await expectSmallCopy(source);
  });
});

describe("what a source wants of its clients", () => {
  const withPassword = skipUnless("requirepass");
  test.skipIf(withPassword.skip)(`a password${withPassword.note}`, async () => {
    await using source = await openTestSource({ flags: { requirepass: "open sesame" } });
    await expectSmallCopy(source);
  });

  const withUsers = skipUnless("acl");
  test.skipIf(withUsers.skip)(`a user of its own${withUsers.note}`, async () => {
    await using source = await openTestSource();
    await using client = await source.client();
    await client.call("ACL", "SETUSER", "repl", "ON", ">secret", "+@admin", "+@all", "~*");
    await expectSmallCopy(source, { name: "repl", password: "secret" });
  });

  test.skipIf(withUsers.skip)(
    `a user who may not replicate ends the run, in plain words${withUsers.note}`,
    async () => {
      await using source = await openTestSource();
      await using target = await pool.take();
      await using client = await source.client();
      await client.call("ACL", "SETUSER", "low", "ON", ">secret", "+@read", "~*");
      await using run = new LiveRun({ source, targetPort: target.port, user: { name: "low", password: "secret" } });
      const error: unknown = await run.ended.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "AUTH_FAILED" });
      expect(String(error)).not.toContain("secret");
    },
  );

  const withTls = skipUnless("tls", "requirepass");
  test.skipIf(withTls.skip)(`TLS${withTls.note}`, async () => {
    const { certFile, keyFile, caFile } = certificates;
    // A Dragonfly that listens with TLS wants a password or clients' certificates, too.
    await using source = await openTestSource({
      flags: { tls: { certFile, keyFile, caFile }, requirepass: "open sesame" },
    });
    await expectSmallCopy(source);
  });
});

describe("a run that ends, and the next", () => {
  test("goes on by LSN when it is asked to, with nothing lost and nothing twice", async () => {
    await using source = await openTestSource();
    await using target = await pool.take();
    await using client = await source.client();
    const writes = (): (readonly string[])[] => [
      ...Array.from({ length: 40 }, (_, i) => ["INCR", `counter:${i}`]),
      ...Array.from({ length: 40 }, (_, i) => ["RPUSH", `list:${i}`, "element"]),
    ];
    await runAll(client, writes());
    let resume: { masterId: string; lsns: number[] };
    {
      await using run = new LiveRun({ source, targetPort: target.port });
      await run.untilPhase("stable");
      await runAll(client, writes());
      const { source: master, appliedLsns } = await run.finish();
      resume = { masterId: master.masterId, lsns: appliedLsns.map((lsn) => lsn ?? -1) };
    }
    await runAll(client, writes());
    await using run = new LiveRun({ source, targetPort: target.port, resume });
    await run.untilPhase("stable");
    await runAll(client, writes());
    const report = await run.finish();
    expect(run.phases).not.toContain("full_sync");
    expect(report.keysByType).toEqual({});
    const { equalCount } = await expectEqualServers({ source: client, target: target.client });
    expect(equalCount).toBe(80);
    expect(String(await target.client.call("GET", "counter:0"))).toBe("4");
  });

  const withEnd = skipUnless("end");
  test.skipIf(withEnd.skip)(`a source that goes away ends it with CONNECTION_LOST${withEnd.note}`, async () => {
    await using source = await openTestSource();
    await using target = await pool.take();
    await using run = new LiveRun({ source, targetPort: target.port });
    await run.untilPhase("stable");
    await using client = await source.client();
    await using load = startLoad({ ...source.endpoint, seed: 3, opsPerSecond: 2000 });
    await load.untilCommands(500);
    await source.stop();
    await expect(run.ended).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    client.close();
  });

  test.skipIf(withEnd.skip)(
    `a takeover is granted at once: everything has been applied by then${withEnd.note}`,
    async () => {
      await using source = await openTestSource();
      await using target = await pool.take();
      await using client = await source.client();
      await using run = new LiveRun({ source, targetPort: target.port });
      await run.untilPhase("stable");
      await runAll(client, inDatabases(typesOf("k")));
      await untilNoLag(client);
      const { equalCount } = await expectEqualServers({ source: client, target: target.client });
      expect(equalCount).toBeGreaterThan(100);
      await runAll(client, keys("last", 500));
      expect(await client.call("DFLY", "TAKEOVER", 10, "SYNC1")).toBe("OK");
      await source.exited;
      await expect(run.ended).rejects.toMatchObject({ code: "CONNECTION_LOST" });
      const last = await target.client.pipeline(keys("last", 500).map(([, key = ""]) => ["GET", key]));
      expect(last.map(String)).toEqual(keys("last", 500).map(([, , value]) => value));
    },
  );
});
