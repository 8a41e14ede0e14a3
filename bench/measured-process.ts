/**
 * Runs a program and says what it cost: wall-clock time from outside, user and system time of it and all its children as the shell's `times`
 * counts them, the same way for every program. A Node program also tells its peak memory.
 */
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PEAK_FILE_VARIABLE } from "./peak-memory-hook.ts";

const HOOK = new URL("./peak-memory-hook.ts", import.meta.url).href;
const SCRIPT = '"$@"; code=$?; times >&3; exit $code';
const KIB = 1024;

export type ProcessCost = {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** undefined for what is no Node program. */
  readonly peakBytes: number | undefined;
  /** Unix ms, with fractions. */
  readonly endedAtMs: number;
  readonly stdout: string;
};

/** Throws with the program's words when it does not exit with 0. */
export async function runMeasured(
  command: readonly string[],
  options: { readonly stdinFile?: string } = {},
): Promise<ProcessCost> {
  const directory = mkdtempSync(path.join(tmpdir(), "df2redis-bench-run-"));
  const peakFile = path.join(directory, "peak");
  const stdin = options.stdinFile === undefined ? undefined : openSync(options.stdinFile, "r");
  try {
    const cost = await run(command, stdin, peakFile);
    return { ...cost, peakBytes: readPeak(peakFile) };
  } finally {
    if (stdin !== undefined) closeSync(stdin);
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(
  command: readonly string[],
  stdin: number | undefined,
  peakFile: string,
): Promise<Omit<ProcessCost, "peakBytes">> {
  const nodeOptions = `${process.env["NODE_OPTIONS"] ?? ""} --import=${HOOK}`.trim();
  const env = { ...process.env, NODE_OPTIONS: nodeOptions, [PEAK_FILE_VARIABLE]: peakFile };
  const startedMs = performance.now();
  const child = spawn("/bin/sh", ["-c", SCRIPT, "sh", ...command], {
    stdio: [stdin ?? "ignore", "pipe", "pipe", "pipe"],
    env,
  });
  const output = ["", "", ""];
  for (const [i, stream] of child.stdio.slice(1, 4).entries()) {
    stream?.on("data", (chunk: Buffer) => {
      output[i] = (output[i] ?? "") + chunk.toString();
    });
  }
  let ended = { wallSeconds: 0, endedAtMs: 0 };
  child.once("exit", () => {
    ended = {
      wallSeconds: (performance.now() - startedMs) / 1000,
      endedAtMs: performance.timeOrigin + performance.now(),
    };
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      const [stdout = "", stderr = "", times = ""] = output;
      if (code === 0) resolve({ ...ended, cpuSeconds: childSeconds(times), stdout });
      else reject(new Error(`${command.join(" ")} ended with code ${code}: ${stderr}${stdout}`.slice(0, 4000)));
    });
  });
}

/** The second line of `times` is about children: user and system, each as 0m0.00s. */
function childSeconds(times: string): number {
  const line = times.split("\n")[1] ?? "";
  const parts = [...line.matchAll(/(\d+)m([\d.,]+)s/g)];
  return parts.reduce(
    (sum, [, minutes = "0", seconds = "0"]) => sum + 60 * Number(minutes) + Number(seconds.replace(",", ".")),
    0,
  );
}

function readPeak(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8")) * KIB;
  } catch {
    return undefined;
  }
}
