/** `npm run bench` works, with little data: the numbers mean nothing here, but they must be numbers. */
import { execFile } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { resultsText } from "./results-text.ts";
import type { BenchResults } from "./run-benchmarks.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const MEGABYTE = 1e6;

const run = promisify(execFile);

test("the benchmarks run and print sane numbers", async () => {
  const env = {
    ...process.env,
    PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env["PATH"] ?? ""}`,
  };
  const only = "decode,translate,journal,strings,hashes,zsets,generator";
  const { stdout } = await run(process.execPath, [MAIN, "--keys", "3200", "--rounds", "1", "--only", only, "--json"], {
    env,
  });
  const results = JSON.parse(stdout) as BenchResults;

  expect(results.decode.map(({ compression }) => compression)).toEqual(["none", "lzf", "zstd", "lz4"]);
  for (const { wholeRate, elementsRate } of results.decode) {
    expect(wholeRate).toBeGreaterThan(1);
    expect(elementsRate).toBeGreaterThan(1);
  }
  expect(results.translate).toHaveLength(6);
  for (const { perCpuSecond } of results.translate) expect(perCpuSecond).toBeGreaterThan(1000);

  expect(results.redis.map(({ keys }) => keys)).toEqual([3200, 800, 200]);
  for (const { sameData, copyRatio, pipe, tool } of results.redis) {
    expect(sameData).toBe(true);
    expect(copyRatio).toBeGreaterThan(0);
    expect(tool.copySeconds).toBeGreaterThan(0);
    expect(tool.copySeconds).toBeLessThan(tool.wallSeconds);
    expect(tool.cpuSeconds).toBeGreaterThan(0.05);
    expect(tool.serverCpuSeconds).toBeGreaterThan(0);
    expect(tool.peakBytes).toBeGreaterThan(30 * MEGABYTE);
    expect(tool.peakBytes).toBeLessThan(1000 * MEGABYTE);
    expect(pipe.wallSeconds).toBeGreaterThan(0);
  }

  for (const { drainedKeysPerSecond, copiedKeysPerSecond, peakBytes } of results.generator) {
    expect(drainedKeysPerSecond).toBeGreaterThan(0);
    expect(copiedKeysPerSecond).toBeGreaterThan(0);
    expect(peakBytes).toBeGreaterThan(30 * MEGABYTE);
  }
  expect(results.generator).toHaveLength(1);

  const text = resultsText(results);
  expect(text).toContain("3,200 100-byte strings into a redis-server");
  expect(text).toContain("redis-cli --pipe");
  expect(text).toContain("Aims");
  expect(text).not.toMatch(/NaN|undefined|Infinity|DIFFERS/);
});

test("a mistake on the command line is named", async () => {
  await expect(run(process.execPath, [MAIN, "--only", "speed"])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("speed is none of"),
  });
});
