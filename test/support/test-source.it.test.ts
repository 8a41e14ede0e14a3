/** Each kind of source: what it starts, what it says it cannot do, and that nobody's Dragonfly is emptied by mistake. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { processState } from "./process-stat.ts";
import { RespClient } from "./resp-client.ts";
import type * as TestSourceModule from "./test-source.ts";
import { startSimulator } from "./test-source.ts";

const FAKE = fileURLToPath(new URL("fake-dragonfly.ts", import.meta.url));

// Each load of the modules listens for this process's end.
process.setMaxListeners(50);

/** The module as it is with other environment variables. */
async function withEnvironment(env: Readonly<Record<string, string>>): Promise<typeof TestSourceModule> {
  for (const name of ["DRAGONFLY_BIN", "DRAGONFLY_URL", "DRAGONFLY_URL_MAY_BE_EMPTIED"])
    vi.stubEnv(name, env[name] ?? "");
  vi.resetModules();
  return await import("./test-source.ts");
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

describe("the simulator", () => {
  test("is the default, in a process of its own, and can do everything", async () => {
    const { SOURCE_KIND, openTestSource, shardCounts, skipUnless } = await withEnvironment({});
    expect(SOURCE_KIND).toBe("simulator");
    expect(shardCounts(1, 4)).toEqual([1, 4]);
    expect(skipUnless("tls", "end", "version", "compressionMode")).toEqual({ skip: false, note: "" });
    const source = await openTestSource({
      shards: 3,
      flags: { version: "df-v1.27.4", requirepass: "secret", backlogEntries: 5 },
    });
    expect(source.pid).not.toBe(process.pid);
    await using client = await source.client(2);
    expect(String(await client.call("INFO", "SERVER"))).toContain("df-v1.27.4");
    expect(await client.call("DFLY", "REPLICAOFFSET")).toHaveLength(3);
    await using stranger = await RespClient.connect({ port: source.endpoint.port });
    await expect(stranger.call("GET", "a")).rejects.toThrow("NOAUTH");
    await client.call("SET", "a", "b");
    await source.restart?.();
    await using again = await source.client(2);
    expect(await again.call("GET", "a")).toBeNull();
    const pid = source.pid ?? 0;
    await source.stop();
    expect(processState(pid)).toBeUndefined();
  });
});

describe("DRAGONFLY_BIN", () => {
  let directory: string;
  let binary: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "df2redis-fake-"));
    binary = path.join(directory, "dragonfly");
    writeFileSync(binary, `#!/bin/sh\nexec "${process.execPath}" "${FAKE}" "$@"\n`);
    chmodSync(binary, 0o755);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test("is started with the threads and flags that are asked for, on a port of this machine, and stopped", async () => {
    const { SOURCE_KIND, openTestSource } = await withEnvironment({ DRAGONFLY_BIN: binary });
    expect(SOURCE_KIND).toBe("DRAGONFLY_BIN");
    const source = await openTestSource({ shards: 5, flags: { compressionMode: 2, requirepass: "secret" } });
    await using client = await source.client();
    expect(await client.call("DFLY", "REPLICAOFFSET")).toHaveLength(5);
    expect(source.endpoint).toMatchObject({ host: "127.0.0.1", password: "secret" });
    const pid = source.pid ?? 0;
    expect(processState(pid)).toBeDefined();
    await source.stop();
    expect(processState(pid)).toBeUndefined();
  });

  test("is asked which flags it has; what needs others is skipped and says so", async () => {
    const { skipUnless } = await withEnvironment({ DRAGONFLY_BIN: binary });
    expect(skipUnless("compressionMode", "requirepass", "end", "shards").skip).toBe(false);
    expect(skipUnless("compressionMode", "taggedChunks")).toEqual({
      skip: true,
      note: " [skipped with DRAGONFLY_BIN: this Dragonfly has no --serialization_tagged_chunks]",
    });
    expect(skipUnless("version").note).toContain("a binary is one release");
  });

  test("that does not start fails with its own words", async () => {
    const { openTestSource } = await withEnvironment({ DRAGONFLY_BIN: binary });
    await expect(openTestSource({ flags: { taggedChunks: true } })).rejects.toThrow("Unknown command line flag");
  });

  test("and DRAGONFLY_URL exclude each other", async () => {
    await expect(withEnvironment({ DRAGONFLY_BIN: binary, DRAGONFLY_URL: "redis://127.0.0.1:1" })).rejects.toThrow(
      "not both",
    );
  });
});

describe("DRAGONFLY_URL", () => {
  test("is emptied only with permission", async () => {
    await using running = await startSimulator({ shards: 3, flags: { requirepass: "secret" } });
    await using client = await running.client();
    await client.call("SET", "precious", "x");
    const env = { DRAGONFLY_URL: `redis://:secret@${running.address}` };
    const forbidden = await withEnvironment(env);
    await expect(forbidden.openTestSource()).rejects.toThrow("DRAGONFLY_URL_MAY_BE_EMPTIED=yes");
    expect(await client.call("DBSIZE")).toBe(1);

    const allowed = await withEnvironment({ ...env, DRAGONFLY_URL_MAY_BE_EMPTIED: "yes" });
    expect(allowed.shardCounts(1, 4, 16)).toEqual([undefined]);
    expect(allowed.skipUnless("shards", "end").note).toContain("skipped with DRAGONFLY_URL");
    const source = await allowed.openTestSource({ shards: 16 });
    expect(source).toMatchObject({ kind: "DRAGONFLY_URL", shards: 3, pid: undefined });
    expect(await client.call("DBSIZE")).toBe(0);
    await using own = await source.client();
    await own.call("SET", "left", "behind");
    await source.stop();
    // It runs on, empty.
    expect(await client.call("DBSIZE")).toBe(0);
  });
});
