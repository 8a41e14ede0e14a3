import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LogConfig } from "../config/schema.ts";
import { Secret } from "../config/secret.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { createLogger } from "./logger.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "df2redis-log-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function open(log: Partial<LogConfig>, consoleIsTerminal = false, hasDisplay = false) {
  const lines: string[] = [];
  const opened = createLogger({
    log: { level: "info", format: "auto", consoleEnabled: true, ...log },
    taskName: "orders",
    command: "migrate",
    console: { write: (text) => lines.push(text) },
    consoleIsTerminal,
    hasDisplay,
  });
  return { ...opened, lines };
}

function read(file: string | undefined): Record<string, unknown>[] {
  return readFileSync(file ?? "", "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("where lines go", () => {
  test("to the console as JSON, or as lines for people on a terminal", () => {
    const json = open({});
    json.logger.info({ flow: 1 }, "hello");
    expect(JSON.parse(json.lines.join(""))).toMatchObject({
      level: "info",
      task: "orders",
      command: "migrate",
      flow: 1,
      msg: "hello",
    });
    const pretty = open({}, true);
    pretty.logger.info({ flow: 1 }, "hello");
    expect(pretty.lines.join("")).toMatch(/^\[\d\d:\d\d:\d\d\] INFO.*hello.*"flow":1.*\n$/s);
    const forced = open({ format: "json" }, true);
    forced.logger.info("hello");
    expect(forced.lines.join("")).toMatch(/^{.*}\n$/);
  });

  test("to a file per task and command, in a directory that is made, appended", () => {
    const nested = join(dir, "a", "b");
    for (const text of ["one", "two"]) {
      const log = open({ dir: nested, consoleEnabled: false });
      log.logger.info(text);
      log.close();
      expect(log.lines).toEqual([]);
    }
    expect(read(join(nested, "orders-migrate.log")).map((line) => line["msg"])).toEqual(["one", "two"]);
  });

  test("the file logger writes to the file only, and nowhere without one", () => {
    const log = open({ dir });
    log.fileLogger.info("file");
    log.logger.info("both");
    log.close();
    expect(read(log.file).map((line) => line["msg"])).toEqual(["file", "both"]);
    expect(log.lines).toHaveLength(1);
    const none = open({});
    none.fileLogger.error("lost");
    expect(none.lines).toEqual([]);
    expect(existsSync(join(dir, "nothing"))).toBe(false);
  });

  test.each([
    ["info", ["warn"]],
    ["debug", ["debug", "info", "warn"]],
    ["error", []],
  ] as const)("beside a display, level %s shows %j; the file has its level", (level, shown) => {
    const log = open({ level, dir }, false, true);
    for (const name of ["debug", "info", "warn"] as const) log.logger[name](name);
    log.close();
    expect(log.lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(shown);
    if (level === "info") expect(read(log.file).map((line) => line["level"])).toEqual(["info", "warn"]);
  });

  test("less severe lines are left out", () => {
    const log = open({ level: "warn" });
    log.logger.info("no");
    log.logger.warn("yes");
    expect(log.lines).toHaveLength(1);
  });

  test("a directory that cannot be made is a configuration error", () => {
    writeFileSync(join(dir, "file"), "");
    expect(() => open({ dir: join(dir, "file") })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});

describe("I10: no secret, and no key above trace", () => {
  test("secrets print as ***, by type and by name", () => {
    const log = open({});
    log.logger.info({ password: "hunter2", target: { password: "hunter2", tls: { keyPassphrase: "hunter2" } } }, "a");
    log.logger.info({ anything: new Secret("hunter2"), list: [new Secret("hunter2")] }, "b");
    expect(log.lines.join("")).not.toContain("hunter2");
    expect(log.lines.join("")).toContain("***");
  });

  const error = new Df2RedisError("TARGET_REJECTED", "SET user:secret was refused", {
    context: { key: "user:secret", lsn: 7 },
    cause: new Error("WRONGTYPE for user:secret"),
  });

  test("errors lose the keys of the user's data", () => {
    const log = open({});
    log.logger.error({ err: error }, "failed");
    const text = log.lines.join("");
    expect(text).not.toContain("user:secret");
    expect(JSON.parse(text)).toMatchObject({
      err: { code: "TARGET_REJECTED", context: { lsn: 7 }, message: "SET <data> was refused" },
    });
  });

  test("at trace they stay", () => {
    const log = open({ level: "trace" });
    log.logger.error({ err: error }, "failed");
    expect(JSON.parse(log.lines.join(""))).toMatchObject({ err: { context: { key: "user:secret" } } });
  });
});
