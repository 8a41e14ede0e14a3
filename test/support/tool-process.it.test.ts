import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RecordingMaster, startRecordingMaster } from "../../src/simulator/recording-master.ts";
import { processState } from "./process-stat.ts";
import { expectExpectedState } from "./recording-checks.ts";
import { openRecording } from "./recordings.ts";
import { RedisPool } from "./redis-pool.ts";
import { startTool, type ToolProcess } from "./tool-process.ts";
import { rejection } from "./until.ts";

const pool = new RedisPool(2);
beforeAll(() => pool.start());
afterAll(() => pool.stop());

const recording = openRecording("dragonfly-1.40.1/idle");

async function following(
  body: (tool: ToolProcess, port: number, master: RecordingMaster) => Promise<void>,
): Promise<void> {
  await using target = await pool.take();
  await using master = await startRecordingMaster({ recording });
  await using tool = startTool([
    "replicate",
    "--json",
    "--source",
    master.address,
    "--target",
    `127.0.0.1:${target.port}`,
  ]);
  await body(tool, target.port, master);
}

describe("a run", () => {
  test("tells its events, and ends with a report on SIGINT", async () => {
    await following(async (tool, port, master) => {
      expect(await tool.waitForPhase("stable")).toMatchObject({ event: "phase", phase: "stable" });
      await master.whenAllAcked();
      expect(tool.usage?.peakRssBytes).toBeGreaterThan(20e6);
      tool.signal("SIGINT");
      expect(await tool.exit).toEqual({ code: 0, signal: null });
      expect(tool.report).toMatchObject({ mode: "replicate", outcome: "interrupted" });
      expect(tool.error).toBeUndefined();
      expect(tool.usage?.cpuSeconds).toBeGreaterThan(0.05);
      const phases: unknown[] = [];
      for await (const event of tool) if (event.event === "phase") phases.push(event["phase"]);
      expect(phases[0]).toBe("connecting");
      expect(phases.at(-1)).toBe("stopped");
      expect(tool.stdout).toContain('"event":"report"');
      await expectExpectedState({ recording, port });
    });
  });

  test("can be frozen, go on, and be killed; what it had used is still known", async () => {
    await following(async (tool) => {
      await tool.waitForPhase("stable");
      await tool.freeze();
      expect(processState(tool.pid)).toBe("T");
      tool.thaw();
      const before = tool.events.length;
      await tool.waitFor((event) => event.event === "progress" && tool.events.indexOf(event) >= before);
      tool.signal("SIGKILL");
      expect(await tool.exitWithin(5000)).toEqual({ code: null, signal: "SIGKILL" });
      expect(tool.usage?.peakRssBytes).toBeGreaterThan(20e6);
    });
  });
});

test("an error is told with its code, and waiting for something else ends with what was printed", async () => {
  await using tool = startTool(["replicate", "--json", "--source", "127.0.0.1:1", "--target", "127.0.0.1:2"]);
  const error = await rejection(tool.waitForPhase("stable"));
  expect(error.message).toContain("the tool ended without the event");
  expect(error.message).toContain("CONNECT_FAILED");
  expect(await tool.exit).toEqual({ code: 1, signal: null });
  expect(tool.error).toMatchObject({ code: "CONNECT_FAILED", retryable: true });
});

test("environment and arguments of Node are passed on; plain text is kept", async () => {
  await using tool = startTool(["help"], {
    env: { DF2REDIS_LOG_LEVEL: "nonsense" },
    nodeArgs: ["--max-old-space-size=64"],
  });
  expect(await tool.exit).toEqual({ code: 0, signal: null });
  expect(tool.stdout).toContain("Usage: df2redis");
  await using wrong = startTool(["replicate", "--json"], { env: { DF2REDIS_SUORCE: "x" } });
  expect(await wrong.exit).toEqual({ code: 2, signal: null });
  expect(wrong.error?.message).toContain("DF2REDIS_SUORCE");
});

test("a tool that takes too long is told with what it was doing", async () => {
  await following(async (tool) => {
    const error = await rejection(tool.waitFor(() => false, 50));
    expect(error.message).toContain("waited 50 ms for the tool in vain");
    expect(error.message).toContain("df2redis replicate --json --source");
  });
});
