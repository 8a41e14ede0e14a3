/** Slow replicas and takeovers over real sockets; time is a clock of the test's. */
import { describe, expect, test } from "vitest";
import { BareMaster } from "../../../../test/support/bare-master.ts";
import { RawConnection } from "../../../../test/support/raw-connection.ts";
import { expectEqual, info, writeAll, writersOf } from "../../../../test/support/replication-steps.ts";
import { TestReplica } from "../../../../test/support/test-replica.ts";
import type { TestWriter } from "../../../../test/support/test-writer.ts";
import { until } from "../../../../test/support/until.ts";

describe("slow replicas", () => {
  /** Writes until the flow's socket takes no more and the limit is reached. */
  async function fillFlow(master: BareMaster, writer: TestWriter | undefined): Promise<void> {
    for (let i = 0; !master.replication.writesBlocked(); i++) {
      writer?.set(0, "large", "x".repeat(200_000));
      if (i % 4 === 3) await turn();
    }
    await turn();
  }

  function turn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  test("over the output limit writers wait until it drains", async () => {
    await using master = await BareMaster.start({ shards: 1 });
    const [writer] = writersOf(master);
    const replica = await TestReplica.join(master.port);
    expect(master.replication.writesBlocked()).toBe(false);
    replica.flows[0]?.connection.pause();
    await stall(master, writer);
    let resumed = 0;
    master.replication.whenWritable(() => resumed++);
    master.pass(29_000);
    expect(resumed).toBe(0);
    expect(master.replication.replicas()).toHaveLength(1);
    replica.flows[0]?.connection.resume();
    await until(() => resumed > 0);
    expect(master.replication.writesBlocked()).toBe(false);
    master.pass(2000);
    await replica.catchUp(master.replication.lsns);
    expect(resumed).toBe(1);
    expectEqual(master, replica);
    replica.close();
  });

  test("after the timeout they are cut off, and writers go on", async () => {
    await using master = await BareMaster.start({ shards: 1 });
    const [writer] = writersOf(master);
    const replica = await TestReplica.join(master.port);
    replica.flows[0]?.connection.pause();
    await stall(master, writer);
    let resumed = 0;
    master.replication.whenWritable(() => resumed++);
    master.pass(0);
    master.pass(30_000);
    expect(master.replication.replicas()).toHaveLength(1);
    master.pass(1);
    expect(master.replication.replicas()).toHaveLength(0);
    expect(resumed).toBe(1);
    expect(master.replication.writesBlocked()).toBe(false);
    replica.flows[0]?.connection.resume();
    await replica.flows[0]?.connection.untilClosed();
    replica.close();
  });

  test("in the snapshot one stuck write is enough", async () => {
    await using master = await BareMaster.start({ shards: 1, flags: { compression_mode: "0" } });
    const [writer] = writersOf(master);
    for (let i = 0; i < 100; i++) writer?.set(0, `k${i}`, "x".repeat(200_000));
    const replica = await TestReplica.greet(master.port);
    await replica.openFlows(() => "");
    replica.flows[0]?.connection.pause();
    expect(await replica.control.ask(`DFLY SYNC ${replica.syncId}`)).toBe("+OK\r\n");
    await settle(master);
    master.pass(30_000);
    expect(master.replication.replicas()).toHaveLength(1);
    master.pass(1);
    expect(master.replication.replicas()).toHaveLength(0);
    replica.flows[0]?.connection.resume();
    await replica.flows[0]?.connection.untilClosed();
    expect(replica.flows[0]?.connection.size).toBeLessThan(100 * 200_000);
    replica.close();
  });

  /** Fills until nothing moves any more between two looks, so that the clock alone decides. */
  async function stall(master: BareMaster, writer: TestWriter | undefined): Promise<void> {
    for (let quiet = 0; quiet < 50;) {
      quiet = master.replication.writesBlocked() ? quiet + 1 : 0;
      if (quiet === 0) await fillFlow(master, writer);
      await turn();
    }
  }

  async function settle(master: BareMaster): Promise<void> {
    for (let i = 0; i < 200; i++) await turn();
    expect(master.replication.replicas()[0]?.state).toBe("full_sync");
  }
});

describe("takeover", () => {
  test("asks by PING, waits for every acknowledgement, answers and shuts down", async () => {
    await using master = await BareMaster.start();
    const writers = writersOf(master);
    const replica = await TestReplica.join(master.port);
    const client = await RawConnection.open(master.port);
    writeAll(writers, 20);
    replica.control.send(`DFLY TAKEOVER 5 ${replica.syncId}\r\n`);
    await replica.until(() => replica.flows.every(({ model }) => model.pings === 1));
    expect(await client.ask("INFO")).toBe("-LOADING Dragonfly is loading the dataset in memory\r\n");
    expect(await client.ask("PING")).toBe("+PONG\r\n");
    const before = replica.control.size;
    replica.ack(0);
    await client.ask("PING");
    expect(replica.control.size).toBe(before);
    expect(master.isShutDown).toBe(false);
    replica.ack(1);
    await replica.control.until(() => replica.control.size > before);
    expect(replica.control.bytes().subarray(before).toString()).toBe("+OK\r\n");
    await until(() => master.isShutDown);
    expect(replica.lsns).toEqual(master.replication.lsns);
    replica.close();
    client.close();
  });

  test("fails when time is up, and the master goes on", async () => {
    await using master = await BareMaster.start();
    const replica = await TestReplica.join(master.port);
    const client = await RawConnection.open(master.port);
    const before = replica.control.size;
    replica.control.send(`DFLY TAKEOVER 2 ${replica.syncId}\r\n`);
    await replica.until(() => replica.flows.every(({ model }) => model.pings === 1));
    master.pass(2000);
    expect(replica.control.size).toBe(before);
    master.pass(1);
    await replica.control.until(() => replica.control.size > before);
    expect(replica.control.bytes().subarray(before).toString()).toBe("-ERR Takeover failed!\r\n");
    expect(await info(client)).toContain("role:master");
    expect(master.isShutDown).toBe(false);
    replica.close();
    client.close();
  });

  test("fails when the replica goes away", async () => {
    await using master = await BareMaster.start();
    const replica = await TestReplica.join(master.port);
    replica.control.send(`DFLY TAKEOVER 2 ${replica.syncId}\r\n`);
    await replica.until(() => replica.flows.every(({ model }) => model.pings === 1));
    const before = replica.control.size;
    replica.flows[0]?.connection.close();
    await replica.control.until(() => replica.control.size > before);
    expect(replica.control.bytes().subarray(before).toString()).toBe("-ERR Takeover failed!\r\n");
    replica.close();
  });

  test("an older release refuses clients in other words", async () => {
    await using master = await BareMaster.start({ version: "df-v1.27.4" });
    const replica = await TestReplica.greet(master.port, 5);
    await replica.openFlows(() => "");
    await replica.sync();
    await replica.startStable();
    const client = await RawConnection.open(master.port);
    replica.control.send(`DFLY TAKEOVER 2 ${replica.syncId}\r\n`);
    await replica.until(() => replica.flows.every(({ model }) => model.pings === 1));
    expect(await client.ask("INFO")).toBe("-ERR Can not execute during TAKEN OVER\r\n");
    replica.close();
    client.close();
  });
});
