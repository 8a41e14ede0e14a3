/** The replication side over real sockets: handshake of each version, full and partial syncs, the stable journal, the end of a session. */
import { describe, expect, test } from "vitest";
import { BareMaster } from "../../../../test/support/bare-master.ts";
import { RawConnection } from "../../../../test/support/raw-connection.ts";
import { expectEqual, info, writeAll, writersOf } from "../../../../test/support/replication-steps.ts";
import { TestReplica } from "../../../../test/support/test-replica.ts";
import { until } from "../../../../test/support/until.ts";

describe("handshake", () => {
  test.each([
    ["df-v1.8.0", 0, 3],
    ["df-v1.11.0", 1, 4],
    ["df-v1.15.1", 2, 4],
    ["df-v1.27.4", 3, 4],
    ["df-v1.34.2", 4, 4],
    ["df-v1.40.1", 5, 5],
  ])("%s greets with version %i in %i elements", async (version, protocol, elements) => {
    await using master = await BareMaster.start({ version, shards: 3 });
    const control = await RawConnection.open(master.port);
    const greeting = await control.ask("REPLCONF capa dragonfly", elements + 1);
    const expected = [
      `+${master.replication.masterId}`,
      "+SYNC1",
      ":3",
      `:${protocol}`,
      `+${master.replication.masterId}`,
    ];
    expect(greeting).toBe([`*${elements}`, ...expected.slice(0, elements), ""].join("\r\n"));
  });

  test("an LSN is wanted from version 1 on, that of another master from 4 on", async () => {
    for (const [protocolVersion, most] of [
      [0, 3],
      [1, 4],
      [3, 4],
      [4, 5],
      [5, 5],
    ] as const) {
      await using master = await BareMaster.start({ protocolVersion });
      const connection = await RawConnection.open(master.port);
      const args = ["x", "SYNC1", "0", "1", "1-1", "1"];
      expect(await connection.ask(`DFLY FLOW ${args.slice(0, most + 1).join(" ")}`)).toBe("-ERR syntax error\r\n");
      expect(await connection.ask(`DFLY FLOW ${args.slice(0, most).join(" ")}`)).toBe("-ERR bad master id\r\n");
    }
  });
});

describe("full sync", () => {
  test.each([1, 2, 4])("%i shards with writes throughout", async (shards) => {
    await using master = await BareMaster.start({ shards });
    const writers = writersOf(master);
    writeAll(writers, 5000);
    const replica = await TestReplica.greet(master.port);
    await replica.openFlows(() => "");
    const stop = setInterval(() => writeAll(writers, 20), 0);
    await replica.sync();
    await replica.startStable();
    clearInterval(stop);
    writeAll(writers, 500);
    await replica.catchUp(master.replication.lsns);
    expectEqual(master, replica);
    expect(replica.flows.every(({ model }) => model.journal.length >= 500)).toBe(true);
    replica.close();
  });

  test("several replicas at once", async () => {
    await using master = await BareMaster.start();
    const writers = writersOf(master, 5);
    writeAll(writers, 3000);
    const first = await TestReplica.join(master.port);
    writeAll(writers, 100);
    const second = await TestReplica.greet(master.port);
    await second.openFlows(() => "");
    const syncing = second.sync();
    writeAll(writers, 300);
    await syncing;
    await second.startStable();
    writeAll(writers, 100);
    await Promise.all([first.catchUp(master.replication.lsns), second.catchUp(master.replication.lsns)]);
    expectEqual(master, first);
    expectEqual(master, second);
    expect(second.syncId).toBe("SYNC2");
    first.close();
    second.close();
  });

  test("FLUSHALL in a snapshot is journaled in it", async () => {
    await using master = await BareMaster.start({ shards: 1 });
    const writers = writersOf(master);
    writeAll(writers, 4000);
    for (let i = 0; i < 20_000; i++) writers[0]?.hset(0, "large", { field: `field ${i}`, content: `content ${i}` });
    const replica = await TestReplica.greet(master.port);
    await replica.openFlows(() => "");
    const syncing = replica.sync();
    await until(() => (replica.flows[0]?.connection.size ?? 0) > 20_000);
    writers[0]?.flushAll();
    writeAll(writers, 5);
    await syncing;
    await replica.startStable();
    const [flow] = replica.flows;
    expect(flow?.model.flushes).toBe(1);
    expect(flow?.model.blobEntries).toBe(6);
    expectEqual(master, replica);
    replica.close();
  });

  test("STARTSTABLE that comes too early waits for the snapshot's end", async () => {
    await using master = await BareMaster.start({ shards: 2 });
    const writers = writersOf(master);
    writeAll(writers, 20_000);
    const replica = await TestReplica.greet(master.port);
    await replica.openFlows(() => "");
    replica.control.send(`DFLY SYNC ${replica.syncId}\r\nDFLY STARTSTABLE ${replica.syncId}\r\n`);
    await replica.until(() => replica.flows.every(({ decoder }) => decoder.lsn >= 0));
    expect(replica.flows.every(({ model }) => model.isFullSyncEnded)).toBe(true);
    expectEqual(master, replica);
    replica.close();
  });
});

describe("stable journal", () => {
  test("a mark follows the first entry, then one that comes more than three seconds later", async () => {
    await using master = await BareMaster.start({ shards: 1 });
    const replica = await TestReplica.join(master.port);
    const [writer] = writersOf(master);
    const [flow] = replica.flows;
    const before = flow?.connection.size ?? 0;
    for (const ms of [0, 1000, 2000, 1000, 500]) {
      master.pass(ms);
      writer?.set(0, "k", "v");
    }
    await replica.catchUp(master.replication.lsns);
    const entry = Buffer.from("06000a0001030503534554016b0176", "hex");
    const mark = (lsn: number): Buffer => Buffer.from([15, lsn]);
    await replica.until(() => (flow?.connection.size ?? 0) >= before + 5 * entry.length + 4);
    expect(flow?.connection.bytes().subarray(before)).toEqual(
      Buffer.concat([entry, mark(1), entry, entry, entry, mark(4), entry]),
    );
    replica.close();
  });

  test("INFO tells the state and the largest lag", async () => {
    await using master = await BareMaster.start();
    const other = await RawConnection.open(master.port);
    const replica = await TestReplica.join(master.port);
    writersOf(master)[1]?.set(0, "a", "b");
    expect(await info(other)).toContain("slave0:ip=127.0.0.1,port=6666,state=online,lag=2\r\n");
    await replica.catchUp([1, 2]);
    replica.ackAll();
    await until(() => master.replication.replicas()[0]?.lag === 0);
    expect(master.replication.replicas()).toEqual([
      { address: "127.0.0.1", listeningPort: 6666, state: "online", lag: 0 },
    ]);
    replica.close();
    other.close();
  });

  test("the state's older word", async () => {
    await using master = await BareMaster.start({ flags: { info_replication_valkey_compatible: "false" } });
    const replica = await TestReplica.join(master.port);
    expect(master.replication.replicas()[0]?.state).toBe("stable_sync");
    replica.close();
  });
});

describe("partial sync", () => {
  async function rejoin(master: BareMaster, tail: (flow: number) => string): Promise<TestReplica> {
    const replica = await TestReplica.greet(master.port);
    await replica.openFlows(tail);
    return replica;
  }

  test("goes on from the backlog where the link was cut", async () => {
    await using master = await BareMaster.start();
    const writers = writersOf(master);
    writeAll(writers, 100);
    const first = await TestReplica.join(master.port);
    writeAll(writers, 50);
    await first.catchUp(master.replication.lsns);
    const { lsns } = first;
    first.close();
    writeAll(writers, 70);
    const second = await rejoin(master, (flow) => String(lsns[flow]));
    expect(second.flows.map(({ kind }) => kind)).toEqual(["PARTIAL", "PARTIAL"]);
    expect(await second.control.ask(`DFLY SYNC ${second.syncId}`)).toBe("-ERR invalid state\r\n");
    // What was held at the cut is taken over.
    for (const [i, { model }] of second.flows.entries())
      for (const [address, entry] of first.flows[i]?.model.keys ?? []) model.keys.set(address, entry);
    await second.startStable();
    writeAll(writers, 30);
    await second.catchUp(master.replication.lsns);
    expectEqual(master, second);
    expect(second.lsns).toEqual(master.replication.lsns);
    second.close();
  });

  test("FULL when the backlog no longer has it, or never had; PARTIAL at its very ends", async () => {
    await using master = await BareMaster.start({ shards: 1, flags: { shard_repl_backlog_len: "10" } });
    const writers = writersOf(master);
    const first = await TestReplica.join(master.port);
    writeAll(writers, 200);
    const [next = 0] = master.replication.lsns;
    const kinds: (string | undefined)[] = [];
    for (const lsn of [next - 11, next - 10, next, next + 1]) {
      const replica = await rejoin(master, () => String(lsn));
      kinds.push(replica.flows[0]?.kind);
      replica.close();
    }
    expect(kinds).toEqual(["FULL", "PARTIAL", "PARTIAL", "FULL"]);
    first.close();
  });

  test("an entry that is lost before STARTSTABLE ends the session", async () => {
    await using master = await BareMaster.start({ shards: 1, flags: { shard_repl_backlog_len: "5" } });
    const writers = writersOf(master);
    const first = await TestReplica.join(master.port);
    const second = await rejoin(master, () => "1");
    expect(second.flows[0]?.kind).toBe("PARTIAL");
    writeAll(writers, 40);
    expect(await second.control.ask(`DFLY STARTSTABLE ${second.syncId}`)).toBe("-ERR invalid state\r\n");
    await second.flows[0]?.connection.untilClosed();
    first.close();
  });

  test("a promoted master serves those who followed its former master", async () => {
    const former = "f".repeat(40);
    await using master = await BareMaster.start({ promotedFrom: { masterId: former, lsns: [40, 70] } });
    const control = await RawConnection.open(master.port);
    expect(await control.ask("REPLCONF capa dragonfly", 6)).toContain(`+${former}\r\n`);
    const warm = await TestReplica.join(master.port);
    const writers = writersOf(master);
    writeAll(writers, 30);
    const replica = await rejoin(master, () => `${former} 40-70`);
    expect(replica.flows.map(({ kind }) => kind)).toEqual(["PARTIAL", "PARTIAL"]);
    await replica.startStable();
    await replica.catchUp(master.replication.lsns);
    expectEqual(master, replica);
    const stranger = await rejoin(master, () => `${"e".repeat(40)} 40-70`);
    expect(stranger.flows.map(({ kind }) => kind)).toEqual(["FULL", "FULL"]);
    for (const open of [warm, replica, stranger]) open.close();
    control.close();
  });
});

describe("a session ends as a whole", () => {
  test.each(["flow", "control"])("when its %s connection closes", async (which) => {
    await using master = await BareMaster.start();
    const replica = await TestReplica.join(master.port);
    if (which === "control") replica.control.close();
    else replica.flows[1]?.connection.close();
    await replica.flows[0]?.connection.untilClosed();
    await until(() => master.replication.replicas().length === 0);
    expect(replica.control.closed).toBe(which === "control");
    replica.close();
  });

  test("in the middle of the snapshot, and others go on", async () => {
    await using master = await BareMaster.start();
    const writers = writersOf(master);
    writeAll(writers, 20_000);
    const stays = await TestReplica.join(master.port);
    const goes = await TestReplica.greet(master.port);
    await goes.openFlows(() => "");
    goes.flows[0]?.connection.pause();
    goes.control.send(`DFLY SYNC ${goes.syncId}\r\n`);
    await until(() => master.replication.replicas()[1]?.state === "full_sync");
    goes.close();
    await until(() => master.replication.replicas().length === 1);
    writeAll(writers, 100);
    await stays.catchUp(master.replication.lsns);
    expectEqual(master, stays);
    expect(master.shards.every((shard) => shard.watchers.size === 0)).toBe(true);
    stays.close();
  });
});
