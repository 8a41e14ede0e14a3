import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { aborted, CliHarness, PROGRESS, REPORT, screen } from "../../test/support/cli-harness.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { RunReplication } from "./cli-deps.ts";

const ADDRESSES = ["--source", "127.0.0.1:1", "--target", "redis://127.0.0.1:2"];

const never: RunReplication = () => Promise.reject(new Df2RedisError("INTERNAL", "must not run"));

/** A run that shows a little of everything and ends at once. */
const shortRun: RunReplication = ({ mode, observer }) => {
  observer.phase("connecting", "to 127.0.0.1:1");
  observer.progress({ ...PROGRESS, elapsedMs: 0, keys: 0, receivedBytes: 0 });
  observer.phase("full_sync", "4 flows");
  observer.progress(PROGRESS);
  observer.warning("no JSON here", { flow: 3 });
  observer.progress({ ...PROGRESS, elapsedMs: 6000, keys: 2_000_000 });
  observer.progress({ ...PROGRESS, elapsedMs: 6500, keys: 2_000_001 });
  return Promise.resolve({ ...REPORT, mode, outcome: "done" });
};

describe("usage", () => {
  test.each([
    [["bogus"], "bogus is not a known command."],
    [["replicat"], "replicat is not a known command. Did you mean replicate?"],
    [["replicate", "--sorce", "h:1"], "--sorce is not a known option. Did you mean --source?"],
    [["migrate", "extra"], "There are more arguments than the command takes"],
    [["migrate", "--source"], "The option --source <addr> needs a value."],
    [["--bogus"], "--bogus is not a known option."],
  ])("%j", async (argv, words) => {
    const cli = new CliHarness(never);
    expect(await cli.run(...argv)).toBe(2);
    expect(cli.stderr).toContain(`error USAGE: ${words}`);
    expect(cli.stdout).toBe("");
  });

  test("no command shows the help and is a usage error", async () => {
    const cli = new CliHarness(never);
    expect(await cli.run()).toBe(2);
    expect(cli.stderr).toContain("Usage: df2redis");
  });

  test.each([[["--help"]], [["help"]], [["help", "replicate"]], [["replicate", "--help"]]])("%j", async (argv) => {
    const cli = new CliHarness(never);
    expect(await cli.run(...argv)).toBe(0);
    expect(cli.stdout).toContain("Usage: df2redis");
    expect(cli.stderr).toBe("");
  });

  test("the version", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    const flag = new CliHarness(never);
    expect(await flag.run("--version")).toBe(0);
    expect(flag.stdout).toBe(`${version}\n`);
    const command = new CliHarness(never);
    expect(await command.run("version")).toBe(0);
    expect(command.stdout).toContain(`df2redis ${version} `);
  });

  test("mistakes in the configuration: exit code 2, nothing is started", async () => {
    const cli = new CliHarness(never, { env: { DF2REDIS_LOG_LEVEL: "loud" } });
    expect(await cli.run("replicate", "--source", "h")).toBe(2);
    expect(cli.stderr).toContain(
      "error CONFIG_INVALID: The configuration has 3 mistakes:\n  environment variable DF2REDIS_LOG_LEVEL: ",
    );
  });
});

describe("configuration reaches the run", () => {
  test("from file, environment and flags", async () => {
    const seen: unknown[] = [];
    const run: RunReplication = ({ config, mode }) => {
      seen.push(mode, config.taskName, config.source.port, config.target.tls?.serverName, config.advanced.workers);
      return Promise.resolve({ ...REPORT, mode, outcome: "done" });
    };
    const readFile = (path: string): string => (path === "a.yaml" ? "source: s:7\ntaskName: file\n" : "");
    const cli = new CliHarness(run, { readFile, env: { DF2REDIS_TARGET: "t:8", DF2REDIS_ADVANCED_WORKERS: "2" } });
    const flags = ["-c", "a.yaml", "--task", "flag", "--workers", "3", "--target-tls", "--target-tls-server-name", "n"];
    expect(await cli.run("migrate", ...flags)).toBe(0);
    expect(seen).toEqual(["migrate", "flag", 7, "n", 3]);
  });
});

describe("output", () => {
  test("plain lines where there is no terminal: phases, one line every five seconds, report", async () => {
    const cli = new CliHarness(shortRun);
    expect(await cli.run("migrate", ...ADDRESSES)).toBe(0);
    expect(cli.stdout.split("\n").slice(0, 6)).toEqual([
      "phase: connecting: to 127.0.0.1:1",
      "phase: full sync: 4 flows",
      "warning: no JSON here (flow 3)",
      expect.stringMatching(/^6\.0 s: full sync · flows 2\/4 · keys 2,000,000 \(153\.1 k\/s\) · received /),
      "",
      "Migration done in 3 min 12 s: the snapshot is in the target.",
    ]);
    expect(cli.stdout).not.toContain("\u001b");
    expect(cli.stderr).toBe("");
  });

  test("one line redrawn in place on a terminal, other lines above it", async () => {
    const cli = new CliHarness(shortRun, { columns: 60 });
    expect(await cli.run("migrate", ...ADDRESSES)).toBe(0);
    expect(screen(cli.stdout).slice(0, 5)).toEqual([
      "connecting: to 127.0.0.1:1",
      "full sync: 4 flows",
      "warning: no JSON here (flow 3)",
      "",
      "Migration done in 3 min 12 s: the snapshot is in the target.",
    ]);
    const drawn = cli.stdout.split("\u001b[2K").map((part) => part.split(/[\r\n]/)[0] ?? "");
    expect(drawn.filter((line) => line.startsWith("full sync · flows 2/4 · keys")).length).toBeGreaterThanOrEqual(3);
    for (const line of drawn) expect(Array.from(line).length).toBeLessThan(60);
  });

  test("log lines on a terminal leave the progress line whole", async () => {
    const run: RunReplication = (options) => {
      options.observer.progress(PROGRESS);
      options.logger.warn("from the log");
      return shortRun(options);
    };
    const cli = new CliHarness(run, { columns: 200 });
    await cli.run("migrate", ...ADDRESSES);
    expect(cli.stderr).toMatch(/WARN.*from the log\n$/);
    const [, drawn, afterLog] = cli.stdout.split("\r\u001b[2K");
    expect(drawn).toMatch(/^full sync · flows 2\/4/);
    expect(afterLog?.startsWith(drawn ?? "-")).toBe(true);
  });

  test("--json: one event a line and nothing else on standard output", async () => {
    const run: RunReplication = (options) => {
      options.logger.info("from the log");
      return shortRun(options);
    };
    const cli = new CliHarness(run, { columns: 80 });
    expect(await cli.run("migrate", "--json", ...ADDRESSES)).toBe(0);
    const events = cli.events();
    expect(events.map((event) => event["event"])).toEqual([
      "phase",
      "progress",
      "phase",
      "progress",
      "warning",
      "progress",
      "report",
    ]);
    expect(events[0]).toEqual({ event: "phase", phase: "connecting", detail: "to 127.0.0.1:1" });
    expect(events[5]).toMatchObject({ keys: 2_000_000, lagEntries: null, keysPerSecond: 153_086.6 });
    expect(events[4]).toEqual({ event: "warning", message: "no JSON here", context: { flow: 3 } });
    expect(events[6]).toEqual({ event: "report", ...REPORT, mode: "migrate", outcome: "done" });
    expect(cli.stderr).toContain("from the log");
  });

  test("a log file keeps phases, warnings and the end, without keys", async () => {
    const dir = mkdtempSync(join(tmpdir(), "df2redis-cli-"));
    const key = "user:secret";
    const samples = [{ db: 0, key }];
    try {
      const run: RunReplication = async (options) => {
        options.observer.warning("lost one", { key, flow: 1 });
        const report = await shortRun(options);
        return {
          ...report,
          losses: [{ kind: "json", count: 1, samples }],
          rejectedCount: 1,
          rejected: [{ flow: 0, lsn: 5, db: 0, command: "SORT", key, error: "why", class: "unrunnable" }],
          sweep: { mode: "on", looked: 1, found: 1, deleted: 0, kept: 1, samples, keptSamples: samples },
          keptMembers: { count: 1, file: "/kept", samples: [{ db: 0, key, member: key, deadlineMs: 1 }] },
        };
      };
      const cli = new CliHarness(run);
      await cli.run("migrate", ...ADDRESSES, "--log-dir", dir, "--task", "t1");
      const text = readFileSync(join(dir, "t1-migrate.log"), "utf8");
      const lines = text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { msg: string });
      expect(lines.map((line) => line.msg)).toEqual(["lost one", "phase", "phase", "no JSON here", "the run ended"]);
      expect(text).not.toContain(key);
      expect(lines.at(-1)).toMatchObject({
        report: { rejectedCount: 1, sweep: { kept: 1 }, keptMembers: { count: 1 } },
      });
      expect(cli.stderr).toBe("");
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe("errors of a run", () => {
  const failing: RunReplication = () =>
    Promise.reject(new Df2RedisError("CONNECT_FAILED", "Cannot connect.", { context: { address: "h:1" } }));

  test("in words on standard error, exit code 1", async () => {
    const cli = new CliHarness(failing);
    expect(await cli.run("replicate", ...ADDRESSES)).toBe(1);
    expect(cli.stderr).toMatch(/^error CONNECT_FAILED: Cannot connect\.\n {2}where: address h:1\n {2}what to do: /);
    expect(cli.stdout).toBe("");
  });

  test("as an object with --json", async () => {
    const cli = new CliHarness(failing);
    expect(await cli.run("replicate", ...ADDRESSES, "--json")).toBe(1);
    expect(cli.events()).toEqual([
      { event: "error", error: expect.objectContaining({ code: "CONNECT_FAILED", retryable: true }) },
    ]);
  });

  test.each([
    ["USAGE", ["bogus", "--json"]],
    ["CONFIG_INVALID", ["replicate", "--json"]],
  ])("%s as an object with --json", async (code, argv) => {
    const cli = new CliHarness(never);
    expect(await cli.run(...argv)).toBe(2);
    expect(cli.events()).toEqual([{ event: "error", error: expect.objectContaining({ code }) }]);
    expect(cli.stderr).toBe("");
  });

  test("its message is shown once, and not logged with the key in it", async () => {
    const dir = mkdtempSync(join(tmpdir(), "df2redis-cli-"));
    try {
      const message = "SET user:secret was refused";
      const cli = new CliHarness(({ observer }) => {
        observer.phase("failed", message);
        return Promise.reject(new Df2RedisError("TARGET_REJECTED", message, { context: { key: "user:secret" } }));
      });
      expect(await cli.run("replicate", ...ADDRESSES, "--log-dir", dir)).toBe(1);
      expect(cli.stdout).toBe("phase: failed\n");
      expect(cli.stderr).toContain(message);
      const log = readFileSync(join(dir, "default-replicate.log"), "utf8");
      expect(log).toContain("TARGET_REJECTED");
      expect(log).not.toContain("user:secret");
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test("a defect is an error like the others", async () => {
    const cli = new CliHarness(() => Promise.reject(new TypeError("oops")));
    expect(await cli.run("replicate", ...ADDRESSES)).toBe(1);
    expect(cli.stderr).toContain("error INTERNAL: oops");
  });
});

describe("signals", () => {
  /** Runs until it is asked to stop, then reports. */
  const draining: RunReplication = async ({ mode, stop, observer }) => {
    await aborted(stop);
    observer.phase("stopping", "");
    return { ...REPORT, mode, outcome: "interrupted" };
  };

  test.each([
    ["replicate", "SIGINT", 0],
    ["replicate", "SIGTERM", 0],
    ["migrate", "SIGINT", 130],
    ["migrate", "SIGTERM", 130],
  ] as const)("%s: %s once drains, reports and exits with %i", async (command, signal, code) => {
    const cli = new CliHarness(draining);
    const ended = cli.run(command, ...ADDRESSES);
    cli.signal(signal);
    expect(await ended).toBe(code);
    expect(cli.stdout).toMatch(
      new RegExp(`^${signal}: stopping, .*\nphase: stopping\n\n(Replication stopped|Migration interrupted) `),
    );
    expect(cli.forcedExits).toEqual([]);
    expect(cli.signals.eventNames()).toEqual([]);
  });

  test("migrate that was done in spite of the signal is done", async () => {
    const cli = new CliHarness(async ({ stop, mode }) => {
      await aborted(stop);
      return { ...REPORT, mode, outcome: "done" };
    });
    const ended = cli.run("migrate", ...ADDRESSES);
    cli.signal("SIGINT");
    expect(await ended).toBe(0);
  });

  test.each([[[]], [["--json"]]])("a second one does not wait: exit code 130 (%j)", async (flags) => {
    const forced: boolean[] = [];
    const stuck: RunReplication = ({ force }) => {
      force.addEventListener("abort", () => forced.push(true));
      return new Promise(() => {});
    };
    const cli = new CliHarness(stuck);
    const ended = cli.run("replicate", ...ADDRESSES, ...flags);
    cli.signal("SIGINT");
    cli.signal("SIGTERM");
    expect(await ended).toBe(130);
    expect(forced).toEqual([true]);
    expect(cli.forcedExits).toEqual([130]);
    if (flags.length > 0)
      expect(cli.events()).toEqual([{ event: "error", error: expect.objectContaining({ code: "INTERRUPTED" }) }]);
    else expect(cli.stderr).toContain("error INTERRUPTED: A second signal forced the end");
  });

  test("a run that fails after the force is nobody's unhandled rejection", async () => {
    const cli = new CliHarness(async ({ force }) => {
      await aborted(force);
      throw new Df2RedisError("CONNECTION_LOST", "late");
    });
    const ended = cli.run("replicate", ...ADDRESSES);
    cli.signal("SIGINT");
    cli.signal("SIGINT");
    expect(await ended).toBe(130);
    expect(cli.stderr).not.toContain("late");
  });
});
