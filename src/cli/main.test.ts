/** The CLI as a real process: exit codes, real signals, a reader that goes away. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let dir = "";
/** An entry whose run draws progress until it is stopped, and that hangs then when HANG is set. */
let entry = "";

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "df2redis-main-"));
  entry = join(dir, "entry.mts");
  const from = (path: string): string => JSON.stringify(pathToFileURL(resolve(path)).href);
  writeFileSync(
    entry,
    `import { processDeps } from ${from("src/cli/main.ts")};
     import { runCli } from ${from("src/cli/run-cli.ts")};
     import { aborted, PROGRESS, REPORT } from ${from("test/support/cli-harness.ts")};
     const runReplication = async ({ mode, observer, stop }) => {
       observer.phase("stable", "ready");
       let elapsedMs = 0;
       const timer = setInterval(() => observer.progress({ ...PROGRESS, elapsedMs: (elapsedMs += 6000) }), 5);
       await aborted(stop);
       if (process.env.HANG) await new Promise(() => {});
       clearInterval(timer);
       return { ...REPORT, mode };
     };
     process.stdout.once("error", ({ code }) => process.stderr.write(code));
     process.exitCode = await runCli(process.argv.slice(2), { ...processDeps(), runReplication });`,
  );
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

function start(script: string, argv: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [script, ...argv], { env: { PATH: process.env["PATH"] ?? "", ...env } });
}

function collect(stream: ChildProcess["stdout"], onText?: (all: string) => void): () => string {
  let all = "";
  stream?.setEncoding("utf8").on("data", (text: string) => {
    all += text;
    onText?.(all);
  });
  return () => all;
}

type Listener = (all: string) => void;

function ended(child: ChildProcess, onStdout?: Listener, onStderr?: Listener): Promise<Ended> {
  const stdout = collect(child.stdout, onStdout);
  const stderr = collect(child.stderr, onStderr);
  return new Promise((done) => {
    child.once("close", (code) => done({ code, stdout: stdout(), stderr: stderr() }));
  });
}

/** Calls `act` once, as soon as the text is there. */
function once(text: string, act: () => void): (all: string) => void {
  let isDone = false;
  return (all) => {
    if (isDone || !all.includes(text)) return;
    isDone = true;
    act();
  };
}

const ADDRESSES = ["--source", "127.0.0.1:1", "--target", "127.0.0.1:2"];

describe("node src/bin.ts", () => {
  const bin = resolve("src/bin.ts");

  test("--version", async () => {
    expect(await ended(start(bin, ["--version"]))).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: "",
    });
  });

  test("mistakes of a real file, exit code 2", async () => {
    const file = join(dir, "bad.yaml");
    writeFileSync(file, "source: s:1\ntarget: t:2\nlog: {levle: info}\n");
    const { code, stderr, stdout } = await ended(start(bin, ["replicate", "--config", file]));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`${file}:3:7: log.levle: is not a known key; did you mean "level"?`);
  });

  test("a usage error as JSON", async () => {
    const { code, stdout } = await ended(start(bin, ["replicate", "--json", "--nope"]));
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ event: "error", error: { code: "USAGE" } });
  });
});

describe("signals of the real process", () => {
  test.each([
    ["replicate", "SIGINT", 0],
    ["replicate", "SIGTERM", 0],
    ["migrate", "SIGINT", 130],
  ] as const)("%s %s: exit code %i", async (command, signal, exitCode) => {
    const child = start(entry, [command, ...ADDRESSES]);
    const { code, stdout, stderr } = await ended(
      child,
      once("ready", () => child.kill(signal)),
    );
    expect([code, stderr]).toEqual([exitCode, ""]);
    expect(stdout).toContain("Applied up to");
  });

  test("a second one ends a run that hangs", async () => {
    const child = start(entry, ["replicate", ...ADDRESSES], { HANG: "1" });
    const first = once("ready", () => child.kill("SIGINT"));
    const second = once("SIGINT: stopping", () => child.kill("SIGINT"));
    const { code, stderr } = await ended(child, (all) => {
      first(all);
      second(all);
    });
    expect(code).toBe(130);
    expect(stderr).toContain("error INTERRUPTED");
  });
});

test("a reader that goes away neither crashes nor stops the run", async () => {
  const child = start(entry, ["replicate", ...ADDRESSES]);
  const closed = once("ready", () => child.stdout?.destroy());
  // The entry tells when a write has failed; the run goes on writing until the signal.
  const failed = once("EPIPE", () => child.kill("SIGINT"));
  const { code, stderr } = await ended(child, closed, failed);
  expect([code, stderr]).toEqual([0, "EPIPE"]);
});
