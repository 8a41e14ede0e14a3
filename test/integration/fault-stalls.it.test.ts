/**
 * Peers and a tool that stand still: for less than the tool's patience it changes nothing, for more it ends the run with exit code 1 and plain words.
 * Meanwhile the tool stays within its memory. And servers that die, or can write no more, under it.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RecordedFlow } from "../../src/simulator/recording.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import {
  endWithin,
  errorOf,
  type FaultedPeers,
  type FaultedPeersOptions,
  runHere,
  SHORT_TIMEOUTS,
  startFaultedPeers,
} from "../support/faulted-peers.ts";
import { controlConnection, flowConnection } from "../support/faults/connection-selectors.ts";
import type { FaultRule } from "../support/faults/fault-rules.ts";
import { afterCut, entry, untilCut } from "../support/flow-bytes.ts";
import { object, str } from "../support/rdb-builder.ts";
import { expectExpectedState } from "../support/recording-checks.ts";
import { openRecording } from "../support/recordings.ts";
import {
  breakSaves,
  redisCall,
  repairSaves,
  smallDiskObstacle,
  startRedisOnSmallDisk,
} from "../support/redis-processes.ts";
import { RedisPool } from "../support/redis-pool.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { RespError } from "../support/resp-client.ts";
import type { CliHere } from "../support/run-cli-here.ts";
import { TinyMaster } from "../support/tiny-master.ts";
import { startTool, type ToolProcess } from "../support/tool-process.ts";
import { until } from "../support/until.ts";

const recording = openRecording("dragonfly-1.40.1/types-4flows");
const { flows } = recording.first;
const [flow0, flow1] = flows as [RecordedFlow, RecordedFlow];

// Most of the time here passes in waiting.
const pool = new RedisPool(4);
beforeAll(() => pool.start());
afterAll(() => pool.stop());

type Peers = Omit<FaultedPeersOptions, "recording" | "targetPort">;

/** With a target that others do not use meanwhile. */
async function withPeers(options: Peers, body: (peers: FaultedPeers, port: number) => Promise<void>): Promise<void> {
  await using target = await pool.take();
  await withTarget(target.port, options, (peers) => body(peers, target.port));
}

async function withTarget(
  targetPort: number,
  options: Peers,
  body: (peers: FaultedPeers) => Promise<void>,
): Promise<void> {
  await using peers = await startFaultedPeers({ recording, targetPort, ...options });
  try {
    await body(peers);
  } catch (error) {
    if (error instanceof Error) error.message += `\n${peers.report()}`;
    throw error;
  }
}

/** Ends a tool that follows the journal, once all is acknowledged. */
async function finishTool(tool: ToolProcess, peers: FaultedPeers): Promise<void> {
  await tool.whileRunning(peers.master.whenAllAcked());
  tool.signal("SIGINT");
  expect([await tool.exitWithin(10_000), tool.error]).toEqual([{ code: 0, signal: null }, undefined]);
  expect(peers.master.errors).toEqual([]);
  expect(tool.report?.appliedLsns).toEqual(flows.map(({ finalLsn }) => finalLsn));
}

async function finish(run: CliHere, peers: FaultedPeers): Promise<void> {
  await Promise.race([peers.master.whenAllAcked(), run.ended]);
  run.signal("SIGINT");
  expect([await endWithin(run, 10_000), errorOf(run)]).toEqual([0, undefined]);
  expect(run.event("report")?.["appliedLsns"]).toEqual(flows.map(({ finalLsn }) => finalLsn));
}

const IMPATIENT = {
  DF2REDIS_ADVANCED_HANDSHAKE_TIMEOUT_MS: "300",
  DF2REDIS_ADVANCED_REPLY_TIMEOUT_MS: "300",
};

describe.concurrent("the source says nothing more", () => {
  const places: Readonly<Record<string, Pick<FaultRule, "connection" | "at">>> = {
    PING: { connection: 0, at: { direction: "toClient", offset: 0 } },
    "REPLCONF capa": { connection: 0, at: { direction: "toClient", after: "+PONG\r\n+OK\r\n+OK\r\n", plus: 7 } },
    "DFLY FLOW": { connection: flowConnection(1), at: { direction: "toClient", offset: 20 } },
    "DFLY SYNC": { connection: controlConnection(), at: { direction: "toTarget", after: /SYNC\r\n\$5\r\nSYNC\d\r\n/ } },
    "DFLY STARTSTABLE": { connection: controlConnection(), at: { direction: "toTarget", after: "STARTSTABLE" } },
  };

  test.each(Object.entries(places))("in answer to %s", async (request, place) => {
    const rules = [{ ...place, action: { do: "stall" } }] as const;
    await withPeers({ workers: 1, source: { rules } }, async (peers) => {
      await using run = runHere(peers, IMPATIENT);
      expect(await endWithin(run, 10_000)).toBe(1);
      expect(errorOf(run)).toMatchObject({ code: "TIMEOUT", retryable: true });
      expect(errorOf(run)?.message).toContain(
        `The source Dragonfly at ${peers.source.address} did not answer ${request} within 300 ms.`,
      );
    });
  });

  test("for a while, in the snapshot and in the journal", async () => {
    const stall = (flow: number, offset: number): FaultRule => ({
      connection: flowConnection(flow),
      at: { direction: "toClient", offset },
      action: { do: "stall", forMs: 400 },
    });
    const rules = [
      stall(0, flow0.replyEnd + 9000),
      stall(1, (flow1.fullSyncEnd ?? 0) - 1),
      stall(0, flow0.stableStart + 999),
    ];
    await withPeers({ workers: 2, source: { rules } }, async (peers, port) => {
      await using run = runHere(peers);
      await finish(run, peers);
      await expectExpectedState({ recording, port });
    });
  });
});

describe.concurrent("the target says nothing more", () => {
  test.each(["toTarget", "toClient"] as const)("for too long (%s stalled)", async (direction) => {
    const stall = { do: "stall", direction } as const;
    const rules = [{ connection: 1, at: { direction: "toTarget", offset: 60_000 }, action: stall }] as const;
    await withPeers({ workers: 1, target: { rules } }, async (peers) => {
      await using run = runHere(peers, IMPATIENT);
      expect(await endWithin(run, 15_000)).toBe(1);
      expect(errorOf(run)).toMatchObject({ code: "TIMEOUT", retryable: true });
      expect(errorOf(run)?.message).toMatch(/The target Redis at .* has answered none of \d+ commands for \d+ ms/);
      await peers.master.whenClosed();
    });
  });

  test("because the link is half-open: the target is gone and nobody told us", async () => {
    const gone = { do: "halfOpen", gone: "target" } as const;
    const rules = [{ connection: 1, at: { direction: "toTarget", offset: 60_000 }, action: gone }] as const;
    await withPeers({ workers: 1, target: { rules } }, async (peers) => {
      await using run = runHere(peers, IMPATIENT);
      expect(await endWithin(run, 15_000)).toBe(1);
      expect(errorOf(run)).toMatchObject({ code: "TIMEOUT" });
    });
  });

  test("for a while: it goes on where it stood", async () => {
    const stall = { do: "stall", forMs: 400 } as const;
    const rules = [
      { connection: 1, at: { direction: "toTarget", offset: 60_000 }, action: stall },
      { connection: 2, at: { direction: "toClient", offset: 1001 }, action: stall },
    ] as const;
    await withPeers({ workers: 2, target: { rules } }, async (peers, port) => {
      await using run = runHere(peers);
      await finish(run, peers);
      await expectExpectedState({ recording, port });
    });
  });

  test("and much is to come: the tool stops reading within its window, and goes on after", async () => {
    const count = 8192;
    const value = (i: number): Buffer => Buffer.alloc(4096, `${i} `);
    const keys = Array.from({ length: count }, (_, i) => object(0, `key:${i}`, str(value(i))));
    await using redis = await pool.take();
    const { client } = redis;
    await using master = await TinyMaster.start([{ snapshot: untilCut(...keys), stable: afterCut(1) }]);
    await using source = await startFaultProxy({ target: { port: master.endpoint.port } });
    const stall = { do: "stall" } as const;
    const rules = [{ connection: 1, at: { direction: "toTarget", offset: 1_000_000 }, action: stall }] as const;
    await using target = await startFaultProxy({ target: { port: redis.port }, rules });
    await using tool = startTool(["replicate", "--json", "--source", source.address, "--target", target.address], {
      env: { DF2REDIS_ADVANCED_WINDOW_BYTES: "1048576", DF2REDIS_ADVANCED_BATCH_BYTES: "65536" },
    });
    await tool.whileRunning(target.whenEvent("rule"));
    // Stands still: two looks, a second apart, that find the same.
    const received = (): number[] =>
      tool.events.filter(({ event }) => event === "progress").map((event) => Number(event["receivedBytes"]));
    await until(() => !tool.isRunning || (Number(received().at(-1)) > 0 && received().at(-1) === received().at(-2)));
    expect([tool.isRunning, tool.error]).toEqual([true, undefined]);
    // A window at the target, a window's worth of what its commands are made of, and a read of each size of buffer.
    expect(received().at(-1)).toBeLessThan(6_000_000);
    const peak = tool.usage?.peakRssBytes ?? 0;
    target.heal();
    await tool.waitForPhase("stable");
    await until(() => master.acks(0).includes(1), "the acknowledgement");
    tool.signal("SIGINT");
    expect(await tool.exit).toEqual({ code: 0, signal: null });
    for (let from = 0; from < count; from += 256) {
      const some = Array.from({ length: 256 }, (_, i) => from + i);
      const values = await client.pipeline(some.map((i) => ["GET", `key:${i}`]));
      expect(values.every((one, i) => Buffer.isBuffer(one) && one.equals(value(from + i)))).toBe(true);
    }
    expect(await client.call("DBSIZE")).toBe(count);
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(200e6);
  });
});

describe.concurrent("a process is frozen, and goes on", () => {
  test("redis-server, in the snapshot and in the journal", async () => {
    await using server = await startRedis();
    const freeze = { do: "run", what: "freeze", run: () => void server.freeze() } as const;
    const rules: FaultRule[] = [
      { name: "snapshot", connection: 1, at: { direction: "toTarget", offset: 60_000 }, action: freeze },
    ];
    await withTarget(server.port, { workers: 1, target: { rules } }, async (peers) => {
      peers.master.holdFlowAt(0, flow0.stableStart + 500);
      await using run = runHere(peers, { DF2REDIS_ADVANCED_REPLY_TIMEOUT_MS: "30000" });
      await peers.target.whenEvent("rule snapshot");
      const seen = (): number => run.stdout.split('"progress"').length;
      const before = seen();
      await until(() => seen() > before, "a look at the frozen run");
      server.thaw();
      const held = [flow0.journal.startLsn, ...flows.slice(1).map(({ finalLsn }) => finalLsn)];
      await Promise.all(held.map((lsn, flow) => peers.master.whenAcked(flow, lsn)));
      await server.freeze();
      peers.master.releaseFlow(0);
      await until(() => Number(run.event("progress")?.["lagEntries"]) > 0, "entries that wait");
      server.thaw();
      await finish(run, peers);
      await expectExpectedState({ recording, port: server.port });
    });
  });

  test("the tool, at every stage for longer than its timeouts", async () => {
    const patienceMs = 500;
    const stages = [
      ["in the handshake", controlConnection(), 40],
      ["opening flows", flowConnection(1), 10],
      ["in the snapshot", flowConnection(1), flow1.replyEnd + 60_000],
      ["in the journal", flowConnection(1), flow1.stableStart + 4000],
    ] as const;
    await withPeers({ workers: 1 }, async (peers, port) => {
      await using tool = startTool(peers.args, {
        env: {
          DF2REDIS_ADVANCED_HANDSHAKE_TIMEOUT_MS: String(patienceMs),
          DF2REDIS_ADVANCED_REPLY_TIMEOUT_MS: String(patienceMs),
        },
      });
      const freeze = { do: "run", what: "freeze", run: () => tool.signal("SIGSTOP") } as const;
      for (const [name, connection, offset] of stages)
        peers.source.addRule({ name, connection, at: { direction: "toClient", offset }, action: freeze });
      for (const [name] of stages) {
        await tool.whileRunning(peers.source.whenEvent(`rule ${name}`));
        const frozenMs = performance.now();
        await tool.freeze();
        // The time itself is the fault.
        await until(() => performance.now() - frozenMs > 2 * patienceMs);
        tool.thaw();
      }
      await finishTool(tool, peers);
      await expectExpectedState({ recording, port });
    });
  });
});

describe.concurrent("a process dies", () => {
  test.each([1, 2])("redis-server, with commands unanswered (%d workers)", async (workers) => {
    await using server = await startRedis();
    await withTarget(server.port, { workers }, async (peers) => {
      for (const { flow, stableStart } of flows) peers.master.holdFlowAt(flow, stableStart);
      // Changes of documents wait for the target, so with them the journal could not be received while it is frozen.
      await using tool = startTool([...peers.args, "--unsupported-json", "drop"], { env: SHORT_TIMEOUTS });
      await tool.whileRunning(
        Promise.all(flows.map(({ flow, journal }) => peers.master.whenAcked(flow, journal.startLsn))),
      );
      await server.freeze();
      for (const { flow } of flows) peers.master.releaseFlow(flow);
      // Every worker has some by then.
      const entries = flows.reduce((sum, { journal }) => sum + journal.ends.length, 0);
      await tool.waitFor(({ event, lagEntries }) => event === "progress" && lagEntries === entries);
      await server.crash();
      expect(await tool.exitWithin(10_000)).toEqual({ code: 1, signal: null });
      expect(tool.error?.code).toBe("CONNECTION_LOST");
      expect(tool.error?.message).toMatch(/\d+ commands were not confirmed; they may or may not have been applied/);
      expect(tool.report).toBeUndefined();
      await peers.master.whenClosed();
      expect(flows.map(({ flow }) => peers.master.acks(flow).at(-1))).toEqual(
        flows.map(({ journal }) => journal.startLsn),
      );
    });
  });

  test.each(["fin", "rst"] as const)(
    "the target's link, under a flood: nothing is acknowledged that it does not hold (%s)",
    async (how) => {
      const count = 30_000;
      const entries = Array.from({ length: count }, (_, i) => entry(0, "RPUSH", "list", String(i)));
      await using redis = await pool.take();
      const { client } = redis;
      await using master = await TinyMaster.start([
        { snapshot: untilCut(), stable: Buffer.concat([afterCut(1), ...entries]) },
      ]);
      await using target = await startFaultProxy({ target: { port: redis.port } });
      // The flood takes some two seconds.
      target.throttle(600_000, "toTarget");
      await using tool = startTool(["replicate", "--json", "--source", master.address, "--target", target.address]);
      const acked = (): number => (master.acks(0).at(-1) ?? 1) - 1;
      await until(() => acked() > 1000 || !tool.isRunning, "acknowledgements");
      target.cut(how);
      expect(await tool.exitWithin(20_000)).toEqual({ code: 1, signal: null });
      expect(tool.error?.code).toBe("CONNECTION_LOST");
      const applied = Number(await client.call("LLEN", "list"));
      expect(acked()).toBeGreaterThan(1000);
      expect(acked()).toBeLessThanOrEqual(applied);
      expect(applied).toBeLessThan(count);
    },
  );

  test("the tool itself: the source forgets the session, and the next run is whole", async () => {
    await withPeers({ workers: 2 }, async (peers, port) => {
      peers.master.holdFlowAt(1, flow1.stableStart + 500);
      await using tool = startTool(peers.args);
      await tool.whileRunning(peers.master.whenSent(1, flow1.stableStart + 500));
      tool.signal("SIGKILL");
      expect(await tool.exit).toEqual({ code: null, signal: "SIGKILL" });
      await peers.master.whenClosed();
      peers.master.releaseFlow(1);
      // What the target holds is a part of unknown size: nobody goes on from there without a word.
      const sessions = peers.master.sessionCount;
      await using refused = runHere(peers);
      expect([await endWithin(refused, 10_000), errorOf(refused)?.code]).toEqual([1, "TARGET_NOT_EMPTY"]);
      expect(peers.master.sessionCount).toBe(sessions);
      await using run = runHere(peers, { DF2REDIS_CONFLICT: "overwrite" });
      await finish(run, peers);
      await expectExpectedState({ recording, port });
    });
  });
});

describe.concurrent("the target can write no more", () => {
  const startLsns = flows.map(({ journal }) => journal.startLsn);
  const lastAcks = ({ master }: FaultedPeers): (number | undefined)[] =>
    flows.map(({ flow }) => master.acks(flow).at(-1));

  /** Up to the point where the snapshot is there, acknowledged, and the journal is held back. */
  async function followingFrom(
    server: RedisServer,
    options: Peers & { readonly env?: Record<string, string> },
    body: (peers: FaultedPeers, run: CliHere) => Promise<void>,
  ): Promise<void> {
    await withTarget(server.port, options, async (peers) => {
      for (const { flow, stableStart } of flows) peers.master.holdFlowAt(flow, stableStart);
      await using run = runHere(peers, options.env);
      await Promise.all(flows.map(({ flow, journal }) => peers.master.whenAcked(flow, journal.startLsn)));
      await body(peers, run);
    });
  }

  function releaseAll({ master }: FaultedPeers): void {
    for (const { flow } of flows) master.releaseFlow(flow);
  }

  /** It says so, goes on living, and acknowledges nothing new, a second and more long. */
  async function expectWait(run: CliHere, peers: FaultedPeers): Promise<void> {
    await until(() => /the target takes no writes now/.test(run.stdout), "the run to say that it waits");
    expect(run.stdout).toMatch(/"the target takes no writes now, waiting and trying again: MISCONF/);
    // I3: an acknowledgement on every flow that was sent after that, and it says what was applied before.
    const counts = flows.map(({ flow }) => peers.master.acks(flow).length);
    await until(() => flows.every(({ flow }, i) => peers.master.acks(flow).length > (counts[i] ?? 0) + 1));
    expect(errorOf(run)).toBeUndefined();
  }

  test.each([1, 2])(
    "because it cannot save (MISCONF): the run waits, acknowledges nothing more, and goes on when it can (%d workers)",
    async (workers) => {
      await using server = await startRedis();
      await followingFrom(server, { workers }, async (peers, run) => {
        await breakSaves(server);
        releaseAll(peers);
        await expectWait(run, peers);
        expect(lastAcks(peers)).toEqual(startLsns);
        await repairSaves(server);
        await finish(run, peers);
        expect(run.stdout).toContain('"the target takes writes again"');
        expect(run.event("report")?.["rejectedCount"]).toBe(0);
        await expectExpectedState({ recording, port: server.port });
      });
    },
  );

  test("for longer than errors.retrySeconds: it ends, and nothing more is acknowledged", async () => {
    await using server = await startRedis();
    const env = { DF2REDIS_ERRORS_RETRY_SECONDS: "1" };
    await followingFrom(server, { workers: 1, env }, async (peers, run) => {
      await breakSaves(server);
      releaseAll(peers);
      expect(await endWithin(run, 10_000)).toBe(1);
      expect(errorOf(run)).toMatchObject({ code: "TARGET_NOT_READY", retryable: true });
      expect(errorOf(run)?.message).toMatch(
        /The target Redis at .* cannot take writes: MISCONF .* It was tried for [1-4](\.\d)? s; \d+ commands wait to be applied and were not/,
      );
      expect(run.event("report")).toBeUndefined();
      await peers.master.whenClosed();
      expect(lastAcks(peers)).toEqual(startLsns);
    });
  });

  test("and errors.retrySeconds is 0: it ends at once, and names the first write that was refused", async () => {
    await using server = await startRedis();
    const env = { DF2REDIS_ERRORS_RETRY_SECONDS: "0" };
    await followingFrom(server, { workers: 1, env }, async (peers, run) => {
      await breakSaves(server);
      releaseAll(peers);
      expect(await endWithin(run, 10_000)).toBe(1);
      expect(errorOf(run)?.code).toBe("TARGET_REJECTED");
      expect(errorOf(run)?.message).toMatch(/the target refused \w+ of key ".*at LSN \d+\): MISCONF/);
      expect(run.stdout).not.toContain("trying again");
      await peers.master.whenClosed();
      expect(lastAcks(peers)).toEqual(startLsns);
    });
  });

  const obstacle = smallDiskObstacle();
  const why = obstacle === undefined ? "" : ` (${obstacle})`;

  test.skipIf(obstacle !== undefined)(`because its disk is full: the run waits until there is room${why}`, async () => {
    await using disk = await startRedisOnSmallDisk({ sizeBytes: 2 * 1024 * 1024, appendfsync: "everysec" });
    const { server } = disk;
    await followingFrom(server, { workers: 1 }, async (peers, run) => {
      disk.fillDisk();
      await untilRefused(server);
      releaseAll(peers);
      await expectWait(run, peers);
      expect(lastAcks(peers)).toEqual(startLsns);
      disk.freeDisk();
      await finish(run, peers);
      expect(await redisCall(server, "DEL", "fill")).toBe(1);
      await expectExpectedState({ recording, port: server.port });
    });
  });

  test.skipIf(obstacle !== undefined)(`because its disk is full, for which it ends itself${why}`, async () => {
    await using disk = await startRedisOnSmallDisk({ sizeBytes: 2 * 1024 * 1024, appendfsync: "always" });
    const { server } = disk;
    await followingFrom(server, { workers: 1 }, async (peers, run) => {
      disk.fillDisk();
      releaseAll(peers);
      expect(await endWithin(run, 10_000)).toBe(1);
      expect(errorOf(run)?.code).toBe("CONNECTION_LOST");
      expect(await server.exited).toEqual({ code: 1, signal: null });
    });
  });
});

/** Until its append-only file has met the full disk. */
async function untilRefused(server: RedisServer): Promise<void> {
  await using client = await server.client();
  let reply: unknown;
  while (!(reply instanceof RespError)) [reply] = await client.pipeline([["SET", "fill", Buffer.alloc(1024)]]);
  expect(reply.message).toContain("MISCONF");
}
