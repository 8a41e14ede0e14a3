import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { CliHarness } from "../../../test/support/cli-harness.ts";
import { RECORDINGS_DIRECTORY } from "../../../test/support/recordings.ts";
import { RespClient } from "../../../test/support/resp-client.ts";
import { until } from "../../../test/support/until.ts";

const BIN = fileURLToPath(new URL("../../bin.ts", import.meta.url));
const TYPES = path.join(RECORDINGS_DIRECTORY, "dragonfly-1.40.1/types");

function harness(): CliHarness {
  return new CliHarness(() => Promise.reject(new Error("must not run")));
}

/** Runs `simulate` until the check is done, then ends it as Ctrl-C does. */
async function simulate(
  args: readonly string[],
  check: (client: RespClient, text: string) => Promise<void>,
): Promise<string> {
  const cli = harness();
  const ended = cli.run("simulate", "--port", "0", ...args);
  const port = (): number => Number(/listens on 127\.0\.0\.1:(\d+)/.exec(cli.stdout)?.[1]);
  await until(() => port() > 0, "its address");
  const client = await RespClient.connect({ port: port() });
  try {
    await check(client, cli.stdout);
  } finally {
    client.close();
    cli.signal("SIGINT");
  }
  expect(await ended).toBe(0);
  expect(cli.stderr).toBe("");
  await expect(RespClient.connect({ port: port() })).rejects.toThrow("ECONNREFUSED");
  return cli.stdout;
}

describe("a live one", () => {
  test("can be written to, has its shards and its keys, says how to copy it, and ends with Ctrl-C", async () => {
    const text = await simulate(["--shards", "3", "--populate", "1000"], async (client, shown) => {
      expect(await client.call("DBSIZE")).toBe(1000);
      expect(await client.call("DFLY", "REPLICAOFFSET")).toHaveLength(3);
      const types = await client.pipeline(
        ["string:0", "list:0", "set:0", "hash:0", "zset:0", "json:0"].map((key) => ["TYPE", key]),
      );
      expect(types.map(String)).toEqual(["string", "list", "set", "hash", "zset", "ReJSON-RL"]);
      expect(await client.call("SET", "a", "b")).toBe("OK");
      expect(shown).toMatch(/df2redis replicate --source 127\.0\.0\.1:\d+ --target redis:\/\//);
      expect(shown).toContain("test tool");
    });
    expect(text).toContain("1,000 keys on 3 shards");
    expect(text).toContain("Stopped; nothing was kept.");
  });

  test("is of the release that is asked for, compressed and cut as asked for", async () => {
    const args = ["--dragonfly-version", "1.27.4", "--compression-mode", "2", "--no-tagged-chunks", "--populate", "5"];
    await simulate(args, async (client) => {
      expect(String(await client.call("INFO", "SERVER"))).toContain("dragonfly_version:df-v1.27.4");
      expect(await client.call("DBSIZE")).toBe(5);
    });
  });

  test("wants its password, and does not show it", async () => {
    const text = await simulate(["--requirepass", "open-sesame", "--populate", "10"], async (client) => {
      await expect(client.call("DBSIZE")).rejects.toThrow("NOAUTH");
      await client.call("AUTH", "open-sesame");
      expect(await client.call("DBSIZE")).toBe(10);
    });
    expect(text).not.toContain("sesame");
    expect(text).toContain("--source-password-file");
  });

  test("ends by itself when a client shuts it down", async () => {
    const cli = harness();
    const ended = cli.run("simulate", "--port", "0");
    const port = (): number => Number(/listens on 127\.0\.0\.1:(\d+)/.exec(cli.stdout)?.[1]);
    await until(() => port() > 0, "its address");
    const client = await RespClient.connect({ port: port() });
    await client.call("SHUTDOWN").catch(() => {});
    expect(await ended).toBe(0);
    expect(cli.stdout).toContain("shut down by a client");
  });
});

test("plays a recording", async () => {
  await simulate(["--recording", TYPES], async (client, shown) => {
    expect(shown).toContain("dragonfly-1.40.1/types");
    expect(shown).not.toContain("redis-cli");
    expect(String(await client.call("INFO", "SERVER"))).toContain("dragonfly_version:df-v1.40.1");
  });
});

test("sends generated keys", async () => {
  await simulate(["--generate", "5000", "--shards", "2"], async (client, shown) => {
    expect(shown).toContain("5,000 generated keys");
    expect(await client.call("DFLY", "REPLICAOFFSET")).toHaveLength(2);
  });
});

describe("usage", () => {
  test.each([
    [["--port", "70000"], "--port is a whole number from 0 to 65535."],
    [["--shards", "0"], "--shards is a whole number from 1 to 1024."],
    [["--shards", "many"], "--shards is a whole number from 1 to 1024."],
    [["--compression-mode", "4"], "--compression-mode is 0, 1, 2 or 3."],
    [["--dragonfly-version", "new"], "--dragonfly-version is a release like 1.40.1."],
    [
      ["--recording", TYPES, "--shards", "2", "--no-tagged-chunks"],
      "--recording cannot be combined with --shards, --tagged-chunks.",
    ],
    [["--generate", "5", "--populate", "5"], "--generate cannot be combined with --populate."],
    [["--bogus"], "--bogus is not a known option."],
  ])("%j", async (args, words) => {
    const cli = harness();
    expect(await cli.run("simulate", ...args)).toBe(2);
    expect(cli.stderr).toContain(words);
    expect(cli.stdout).toBe("");
  });

  test("a recording that is not there", async () => {
    const cli = harness();
    expect(await cli.run("simulate", "--recording", "/nowhere")).toBe(2);
    expect(cli.stderr).toContain("There is no recording in /nowhere");
  });

  test("a port that is taken", async () => {
    await simulate([], async (_client, shown) => {
      const taken = /listens on 127\.0\.0\.1:(\d+)/.exec(shown)?.[1] ?? "";
      const cli = harness();
      expect(await cli.run("simulate", "--port", taken)).toBe(2);
      expect(cli.stderr).toContain(`Port ${taken} is taken`);
    });
  });
});

/** What a command line loads, as Node tells it. */
function loadedModules(...args: readonly string[]): string[] {
  const hook =
    'import{registerHooks}from"node:module";registerHooks({load:(u,c,n)=>(process.stderr.write(u+"\\n"),n(u,c))})';
  const preload = `data:text/javascript,${encodeURIComponent(hook)}`;
  const { stderr } = spawnSync(process.execPath, ["--import", preload, BIN, ...args], { encoding: "utf8" });
  return stderr.split("\n");
}

test.each([["version"], ["help simulate"], ["replicate --source 127.0.0.1:1"]])(
  "%s does not load the simulator",
  (line) => {
    const modules = loadedModules(...line.split(" "));
    expect(modules.some((url) => url.endsWith("/src/cli/commands/simulate.ts"))).toBe(true);
    expect(modules.filter((url) => url.includes("/src/simulator/"))).toEqual([]);
  },
);
