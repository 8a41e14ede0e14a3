/** `df2redis doctor` on the command line: exit codes, and JSON as the only output. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { CliHarness } from "../../../test/support/cli-harness.ts";
import { useRedis } from "../../../test/support/use-redis.ts";
import { liveReplication } from "../../simulator/live/replication/live-replication.ts";
import { type LiveMaster, startLiveMaster } from "../../simulator/live/server.ts";

const redis = useRedis();
let master: LiveMaster;
beforeAll(async () => {
  master = await startLiveMaster({ shards: 2, replication: liveReplication() });
});
afterAll(async () => {
  await master.stop();
});

function harness(): CliHarness {
  return new CliHarness(() => Promise.reject(new Error("doctor starts no run")));
}

function addresses(): string[] {
  return ["--source", `127.0.0.1:${master.port}`, "--target", redis.server.address];
}

test("go is exit code 0, with the verdict in the last line", async () => {
  const cli = harness();
  expect(await cli.run("doctor", ...addresses())).toBe(0);
  expect(cli.stdout).toMatch(/^Source 127\.0\.0\.1:\d+\n {2}ok {7}reachable/);
  expect(cli.stdout).toMatch(/\n\ngo, 1 warning\n$/);
  expect(cli.stderr).toBe("");
});

test("no-go is exit code 1, with the reasons", async () => {
  await redis.client.call("SET", "x", 1);
  const cli = harness();
  expect(await cli.run("doctor", ...addresses())).toBe(1);
  expect(cli.stdout).toContain("no-go, 1 warning:\n  fit.empty: the target is not empty (1 key in database 0)\n");
  expect(await harness().run("doctor", ...addresses(), "--conflict-policy", "skip")).toBe(0);
});

test("--json writes one object", async () => {
  const cli = harness();
  expect(await cli.run("doctor", ...addresses(), "--json", "--sample", "10", "--no-write-check")).toBe(0);
  const [event, ...others] = cli.events();
  expect(others).toEqual([]);
  expect(event).toMatchObject({ event: "doctor", outcome: "go", reasons: [], warnings: 1 });
  expect(event?.["checks"]).toContainEqual({
    id: "target.write",
    level: "unknown",
    found: "no write was tried (--no-write-check)",
  });
});

test("a server that is not there is no-go, no error", async () => {
  const cli = harness();
  expect(await cli.run("doctor", "--source", "127.0.0.1:1", "--target", redis.server.address, "--json")).toBe(1);
  expect(cli.events()).toMatchObject([{ event: "doctor", outcome: "no-go" }]);
});

test.each([
  [["--sample", "x"], "--sample is a whole number from 0 to 10000000."],
  [["--sample", "-1"], "--sample is a whole number"],
  [["--conflict-policy", "sometimes"], "conflict.policy"],
  [["--databases", "1=0,1=2"], "names 1 twice"],
])("mistakes are exit code 2: %j", async (args, words) => {
  const cli = harness();
  expect(await cli.run("doctor", ...addresses(), ...args)).toBe(2);
  expect(cli.stderr).toContain(words);
  expect(cli.stdout).toBe("");
});
