import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { RawConnection } from "../../test/support/raw-connection.ts";
import { RespClient } from "../../test/support/resp-client.ts";
import { runDemo } from "./run-demo.ts";

const FAKE = fileURLToPath(new URL("../../test/support/fake-df2redis.ts", import.meta.url));
const RECORDING = "dragonfly-1.40.1/idle";

afterEach(() => {
  delete process.env["FAKE_FAULT"];
});

async function demo(fault?: string): Promise<string> {
  if (fault !== undefined) process.env["FAKE_FAULT"] = fault;
  const printed: string[] = [];
  const command = [process.execPath, FAKE, RECORDING];
  await runDemo({ recordingName: RECORDING, command, print: (text) => printed.push(text) });
  return printed.join("");
}

/** Whether something listens on a port of this machine. */
async function isTaken(port: number): Promise<boolean> {
  return RawConnection.open(port).then(
    (connection) => {
      connection.close();
      return true;
    },
    () => false,
  );
}

async function expectNothingLeft(text: string): Promise<void> {
  const ports = portsOf(text);
  expect(ports).toHaveLength(2);
  for (const port of ports) expect(await isTaken(port)).toBe(false);
  const [, stateDir = ""] = /--state-dir (\S+)/.exec(text) ?? [];
  expect(stateDir).not.toBe("");
  expect(existsSync(stateDir)).toBe(false);
}

/** Of the source and the target, as the demo prints them. */
function portsOf(text: string): number[] {
  return [...text.matchAll(/^ {2}(?:source|target) +127\.0\.0\.1:(\d+)/gm)].map((match) => Number(match[1]));
}

describe("the live demo", () => {
  test("comes to its good end with every key equal, and leaves nothing behind", async () => {
    const printed: string[] = [];
    await runDemo({ print: (text) => printed.push(text) });
    const text = printed.join("");
    expect(text).toMatch(/\n +0 {2}differences\n/);
    for (const type of ["string", "hash", "list", "set", "zset", "stream"])
      expect(text).toMatch(new RegExp(`\\n +[\\d,]+ {2}${type} +equal\\n`));
    expect(text).toMatch(/\n +25 {2}json, as text +equal\n/);
    expect(text).toMatch(/Carried in another form\n +25 × JSON documents/);
    expect(text).toMatch(/They ran [\d,]+ commands \([^)]*\), [\d,]+ a second: [\d,]+ until the copy was complete/);
    expect(text).toContain("Lag 0: ");
    expect(text).toContain("./df2redis simulate");
    expect(text).toContain("./df2redis doctor");
    expect(text).toContain("The target holds exactly what it should.");
    await expectNothingLeft(text);
  });

  test("fails when the two sides differ, and says where", async () => {
    const printed: string[] = [];
    const print = (text: string): void => {
      printed.push(text);
      if (text.includes("The writers are stopped")) void plant(portsOf(printed.join(""))[1] ?? 0);
    };
    await expect(runDemo({ print })).rejects.toThrow("the two sides differ");
    expect(printed.join("")).toContain("extra: db 0 key planted");
    await expectNothingLeft(printed.join(""));
  });

  test("fails when the tool fails, with its words", async () => {
    process.env["FAKE_FAULT"] = "fails";
    const printed: string[] = [];
    const command = [process.execPath, FAKE, RECORDING];
    await expect(runDemo({ command, print: (text) => printed.push(text) })).rejects.toThrow(
      /exit code 1:\n.*planted failure/,
    );
    await expectNothingLeft(printed.join(""));
  });
});

async function plant(port: number): Promise<void> {
  await using client = await RespClient.connect({ port });
  await client.call("SET", "planted", "x");
}

test("the demo with a recording, with the tool itself, comes to its good end and leaves nothing behind", async () => {
  const printed: string[] = [];
  await runDemo({ recordingName: "dragonfly-1.40.1/zstd", print: (text) => printed.push(text) });
  const text = printed.join("");
  expect(text).toMatch(/\n +0 {2}differences\n/);
  expect(text).toContain("Could not be carried");
  expect(text).toContain("--unsupported-topk drop");
  expect(text).toContain("/default/member-deadlines.ndjson");
  await expectNothingLeft(text);
});

describe("the demo with a recording, with a stand-in for the tool", () => {
  test("says what it does, what came out, and how to do the same", async () => {
    const text = await demo();
    expect(text).toContain("./df2redis replicate --source 127.0.0.1:");
    expect(text).toMatch(/\n {2}stable +following\n/);
    expect(text).toMatch(/\n +453 {2}string +equal\n/);
    expect(text).toMatch(/\n +1 {2}Bloom filter +left out/);
    expect(text).toMatch(/\n +0 {2}differences\n/);
    expect(text).toContain("my-dragonfly:6379");
    expect(text).toContain("The target holds exactly what it should.");
  });

  test("fails when the target differs, and says where", async () => {
    await expect(demo("differs")).rejects.toThrow("the target differs");
  });

  test("fails when the tool fails, with its words", async () => {
    await expect(demo("fails")).rejects.toThrow(/exit code 1:\n.*planted failure/);
  });

  test("fails when the source was asked out of order", async () => {
    await expect(demo("order")).rejects.toThrow("capa psync2 was sent before PING");
  });
});
