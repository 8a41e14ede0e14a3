/**
 * The master's side of the protocol (docs/protocol.md), as a replica meets it: what it answers in which state, partial syncs, LSNs and lag, the end of a
 * session, takeover. Against the simulator, or against a Dragonfly (test/support/test-source.ts).
 */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { RespClient } from "../support/resp-client.ts";
import { openTestSource, skipUnless } from "../support/test-source.ts";
import { replicaLines, replicaOffset, runAll, untilNoLag } from "./live-run.ts";
import { WireReplica } from "./wire-replica.ts";

const KEYS = 40;

function sets(prefix: string, count = KEYS): (readonly string[])[] {
  return Array.from({ length: count }, (_, i) => ["SET", `${prefix}:${i}`, "value"]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

describe("the handshake", () => {
  test("greets with its id, a sync id, the number of flows and its version", async () => {
    await using source = await openTestSource();
    await using replica = await WireReplica.join(source);
    const { masterId, syncId, flowCount, version, reply } = replica.greeting;
    expect(masterId).toMatch(/^[0-9a-f]{40}$/);
    expect(syncId).toMatch(/^SYNC\d+$/);
    expect(flowCount).toBe(source.shards);
    expect(version).toBeGreaterThanOrEqual(0);
    expect(version).toBeLessThanOrEqual(5);
    expect(reply.length).toBe(version >= 5 ? 5 : version === 0 ? reply.length : 4);
    // Texts as simple strings, numbers as integers: what a replica's parser relies on.
    expect(reply.map((element) => typeof element)).toEqual(
      ["string", "string", "number", "number", "string"].slice(0, reply.length),
    );
  });

  test("gives every replica a sync id of its own, and every flow a token of its own", async () => {
    await using source = await openTestSource();
    await using one = await WireReplica.join(source);
    await using other = await WireReplica.join(source);
    expect(other.greeting).toMatchObject({ masterId: one.greeting.masterId, flowCount: one.greeting.flowCount });
    expect(other.greeting.syncId).not.toBe(one.greeting.syncId);
    for (const replica of [one, other]) await replica.openFlows();
    const flows = [...one.flows, ...other.flows];
    for (const { kind, token } of flows) {
      expect(kind).toBe("FULL");
      expect(token).toMatch(/^[0-9a-f]{40}$/);
    }
    expect(new Set(flows.map(({ token }) => token)).size).toBe(flows.length);
  });

  test("shows the replica in INFO REPLICATION and ROLE, with its port, in every state", async () => {
    await using source = await openTestSource();
    await using client = await source.client();
    expect(await replicaLines(client)).toEqual([]);
    await using replica = await WireReplica.join(source);
    expect(await replicaLines(client)).toEqual([{ state: "preparation", lag: 0, port: 6666 }]);
    await replica.openFlows();
    await replica.control.call("DFLY", "SYNC", replica.greeting.syncId);
    expect(await replicaLines(client)).toEqual([{ state: "full_sync", lag: 0, port: 6666 }]);
    for (const flow of replica.flows) await flow.untilFullSyncEnd();
    await replica.startStable();
    expect((await replicaLines(client))[0]?.state).toMatch(/^(online|stable_sync)$/);
    const [role, replicas] = (await client.call("ROLE")) as readonly [Buffer, readonly (readonly Buffer[])[]];
    expect(String(role)).toBe("master");
    expect(replicas.map((fields) => fields.map(String))).toEqual([
      ["127.0.0.1", "6666", expect.stringMatching(/^(online|stable_sync)$/)],
    ]);
  });
});

describe("in a wrong state", () => {
  test("DFLY SYNC and STARTSTABLE are refused", async () => {
    await using source = await openTestSource();
    await using replica = await WireReplica.join(source);
    const { control, greeting } = replica;
    const sync = (): Promise<unknown> => control.call("DFLY", "SYNC", greeting.syncId);
    const startStable = (): Promise<unknown> => control.call("DFLY", "STARTSTABLE", greeting.syncId);
    await expect(sync()).rejects.toThrow("invalid state");
    await expect(startStable()).rejects.toThrow("invalid state");
    for (let i = 0; i < greeting.flowCount - 1; i++) await replica.openFlow(i);
    if (greeting.flowCount > 1) await expect(sync()).rejects.toThrow("invalid state");
    await replica.openFlow(greeting.flowCount - 1);
    await expect(startStable()).rejects.toThrow("invalid state");
    await expect(control.call("DFLY", "TAKEOVER", 1, greeting.syncId)).rejects.toThrow("invalid state");
    expect(await sync()).toBe("OK");
    await expect(sync()).rejects.toThrow("invalid state");
    for (const flow of replica.flows) await flow.untilFullSyncEnd();
    expect(await startStable()).toBe("OK");
    await expect(startStable()).rejects.toThrow("invalid state");
  });

  test("sessions, masters and flows that do not exist are refused", async () => {
    await using source = await openTestSource();
    await using replica = await WireReplica.join(source);
    const { control, greeting } = replica;
    for (const command of ["SYNC", "STARTSTABLE"]) {
      await expect(control.call("DFLY", command, "SYNC9999")).rejects.toThrow("syncid not found");
      await expect(control.call("DFLY", command, "bad")).rejects.toThrow("bad sync id");
    }
    await expect(control.call("DFLY", "TAKEOVER", -1, greeting.syncId)).rejects.toThrow("timeout is negative");
    const flow = await replica.open();
    const ask = (id: string, sync: string, index: number): Promise<string> =>
      flow.ask(`DFLY FLOW ${id} ${sync} ${index}`);
    expect(await ask("0".repeat(40), greeting.syncId, 0)).toContain("bad master id");
    expect(await ask(greeting.masterId, "SYNC9999", 0)).toContain("syncid not found");
    expect(await ask(greeting.masterId, greeting.syncId, greeting.flowCount)).toContain(
      "value is not an integer or out of range",
    );
  });
});

describe("the stable journal", () => {
  test("REPLICAOFFSET counts what was sent; the lag goes to 0 as it is acknowledged", async () => {
    await using source = await openTestSource();
    await using client = await source.client();
    expect(sum(await replicaOffset(client))).toBeGreaterThanOrEqual(0);
    await using replica = await WireReplica.join(source);
    const start = await replica.syncFully();
    await runAll(client, sets("k"));
    const end = await replicaOffset(client);
    expect(sum(end) - sum(start)).toBe(KEYS);
    for (const [i, flow] of replica.flows.entries()) {
      const entries = (end[i] ?? 0) - (start[i] ?? 0);
      await flow.untilEntries(entries);
      expect(flow.entries()).toBe(entries);
    }
    expect((await replicaLines(client))[0]?.lag).toBeGreaterThan(0);
    for (const [i, flow] of replica.flows.entries()) flow.ack(end[i] ?? 0);
    await untilNoLag(client, 10_000);
  });

  test("holds FLUSHALL on every flow", async () => {
    await using source = await openTestSource();
    await using client = await source.client();
    await using replica = await WireReplica.join(source);
    const start = await replica.syncFully();
    await client.call("FLUSHALL");
    for (const flow of replica.flows) await flow.untilEntries(1);
    expect(await replicaOffset(client)).toEqual(start.map((lsn) => lsn + 1));
  });
});

describe("a partial sync", () => {
  test("goes on from the LSN that is asked for", async () => {
    await using source = await openTestSource();
    await using client = await source.client();
    let lsns: number[];
    {
      await using replica = await WireReplica.join(source);
      lsns = await replica.syncFully();
    }
    await runAll(client, sets("missed"));
    const end = await replicaOffset(client);
    await using replica = await WireReplica.join(source);
    await replica.openFlows(lsns);
    expect(replica.flows.map(({ kind }) => kind)).toEqual(lsns.map(() => "PARTIAL"));
    await expect(replica.control.call("DFLY", "SYNC", replica.greeting.syncId)).rejects.toThrow("invalid state");
    await replica.startStable();
    for (const [i, flow] of replica.flows.entries()) {
      const missed = (end[i] ?? 0) - (lsns[i] ?? 0);
      await flow.untilEntries(missed);
      expect(flow.entries()).toBe(missed);
      flow.ack(end[i] ?? 0);
    }
    await untilNoLag(client, 10_000);
  });

  const withBacklog = skipUnless("backlogEntries");
  test.skipIf(withBacklog.skip)(`is not to be had from beyond the backlog${withBacklog.note}`, async () => {
    await using source = await openTestSource({ flags: { backlogEntries: 16 } });
    await using client = await source.client();
    let lsns: number[];
    {
      await using replica = await WireReplica.join(source);
      lsns = await replica.syncFully();
    }
    await runAll(client, sets("missed", 40 * source.shards));
    const end = await replicaOffset(client);
    const kinds = async (asked: readonly number[]): Promise<string[]> => {
      await using replica = await WireReplica.join(source);
      await replica.openFlows(asked);
      return replica.flows.map(({ kind }) => kind);
    };
    const all = (kind: string): string[] => end.map(() => kind);
    expect(await kinds(lsns)).toEqual(all("FULL"));
    expect(await kinds(end)).toEqual(all("PARTIAL"));
    expect(await kinds(end.map((lsn) => lsn - 15))).toEqual(all("PARTIAL"));
    expect(await kinds(end.map((lsn) => lsn - 17))).toEqual(all("FULL"));
  });

  test("is not to be had of an LSN that is still to come", async () => {
    await using source = await openTestSource();
    {
      await using replica = await WireReplica.join(source);
      await replica.syncFully();
    }
    await using replica = await WireReplica.join(source);
    expect((await replica.openFlow(0, 999_999)).kind).toBe("FULL");
  });
});

describe("the end of a session", () => {
  test.each(["full sync", "stable sync"])("in %s, one closed flow closes all", async (phase) => {
    await using source = await openTestSource({ shards: 3 });
    await using client = await source.client();
    await using replica = await WireReplica.join(source);
    if (phase === "stable sync") await replica.syncFully();
    else {
      await replica.openFlows();
      await replica.control.call("DFLY", "SYNC", replica.greeting.syncId);
    }
    replica.flows[0]?.connection.close();
    for (const flow of replica.flows.slice(1)) await flow.connection.untilClosed();
    await expectNoReplica(client);
    await expect(replica.control.call("DFLY", "STARTSTABLE", replica.greeting.syncId)).rejects.toThrow(/./);
  });

  test("a closed control connection closes all flows", async () => {
    await using source = await openTestSource({ shards: 3 });
    await using client = await source.client();
    await using replica = await WireReplica.join(source);
    await replica.syncFully();
    replica.control.close();
    for (const flow of replica.flows) await flow.connection.untilClosed();
    await expectNoReplica(client);
  });
});

async function expectNoReplica(client: RespClient): Promise<void> {
  const deadline = performance.now() + 10_000;
  while ((await replicaLines(client)).length > 0) {
    if (performance.now() > deadline) throw new Error("the master still knows the replica");
    await delay(10);
  }
}

describe("DFLY TAKEOVER", () => {
  const { skip, note } = skipUnless("end");

  test.skipIf(skip)(`waits for every acknowledgement, says OK and ends the master${note}`, async () => {
    await using source = await openTestSource();
    await using client = await source.client();
    await using replica = await WireReplica.join(source);
    const start = await replica.syncFully();
    await runAll(client, sets("k"));
    const end = await replicaOffset(client);
    let answer: unknown;
    const taken = replica.control
      .call("DFLY", "TAKEOVER", 10, replica.greeting.syncId)
      .then((reply) => (answer = reply));
    for (const [i, flow] of replica.flows.entries()) {
      // The master asks by a PING entry behind all others.
      const entries = (end[i] ?? 0) - (start[i] ?? 0) + 1;
      await flow.untilEntries(entries);
      expect(answer).toBeUndefined();
      flow.ack((start[i] ?? 0) + entries);
    }
    expect(await taken).toBe("OK");
    await source.exited;
  });

  test.skipIf(skip)(`fails when nothing is acknowledged in time; the master goes on${note}`, async () => {
    await using source = await openTestSource();
    await using client = await source.client();
    await using replica = await WireReplica.join(source);
    await replica.syncFully();
    await runAll(client, sets("k"));
    await expect(replica.control.call("DFLY", "TAKEOVER", 1, replica.greeting.syncId)).rejects.toThrow(
      "Takeover failed!",
    );
    expect(await client.call("SET", "still", "here")).toBe("OK");
  });
});
