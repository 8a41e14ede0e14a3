import { resolve } from "node:path";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { asDf2RedisError } from "../errors/df2redis-error.ts";
import { loadConfig } from "./load-config.ts";

type Given = {
  readonly yaml?: string;
  readonly env?: Record<string, string>;
  readonly flags?: Record<string, string | boolean>;
  readonly files?: Record<string, string>;
};

function load({ yaml, env = {}, flags = {}, files = {} }: Given) {
  return loadConfig({
    ...(yaml === undefined ? {} : { file: "conf/a.yaml" }),
    env,
    flags,
    readFile(path) {
      const text = path === "conf/a.yaml" ? yaml : files[path];
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return text;
    },
  });
}

/** The lines of the error, or a failure when there is none. */
function mistakes(given: Given): string[] {
  try {
    load(given);
  } catch (thrown) {
    const error = asDf2RedisError(thrown);
    expect(error.code).toMatch(/^CONFIG_/);
    return error.message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
  throw new Error("no mistake was found");
}

const BOTH = { source: "s:1", target: "t:2" };

describe("a configuration without mistakes", () => {
  test("flags alone are enough; the rest has defaults", () => {
    expect(load({ flags: BOTH })).toEqual({
      source: { host: "s", port: 1, user: undefined, password: undefined, tls: undefined },
      target: { host: "t", port: 2, user: undefined, password: undefined, tls: undefined },
      taskName: "default",
      taskDir: "df2redis-state/default",
      writeMode: "auto",
      databases: [],
      conflict: { memoryBytes: 268_435_456 },
      unsupported: {
        json: "auto",
        bloom: "auto",
        cuckoo: "auto",
        cms: "auto",
        topk: "auto",
        fieldTtl: "auto",
        memberTtl: "auto",
        sticky: "auto",
        search: "auto",
        lua: "auto",
      },
      sweep: { mode: "on", keysPerSecond: 50_000 },
      expiry: { hold: "snapshot", withinHours: 24 },
      errors: { rejected: "stop", unrunnable: "dead-letter", retrySeconds: 300, values: false },
      log: { level: "info", format: "auto", consoleEnabled: true, dir: undefined },
      advanced: {
        limits: { stringBytes: 536_870_912, blobBytes: 268_435_456, elements: 4_294_967_295 },
        restoreLimitBytes: 1_048_576,
        connectTimeoutMs: 10_000,
        handshakeTimeoutMs: 60_000,
        replyTimeoutMs: 60_000,
        batchBytes: 262_144,
        windowBytes: 8_388_608,
      },
    });
  });

  test("every kind of value in the file", () => {
    const config = load({
      yaml: [
        "taskName: orders",
        "source: {addr: '[::1]:7', user: u, password: p}",
        "target:",
        "  addr: h:8",
        "  passwordFile: secret",
        "log: {level: debug, dir: ../log, consoleEnabled: false, format: json}",
        "advanced:",
        "  workers: 4",
        "  limits: {stringBytes: 1 MiB, elements: 10}",
        "  batchBytes: 64KiB",
        "  connectTimeoutMs: 500",
      ].join("\n"),
      files: { [resolve("conf/secret")]: "from file\r\n" },
    });
    expect(config.taskName).toBe("orders");
    expect(config.source).toMatchObject({ host: "::1", port: 7, user: "u" });
    expect(config.source.password?.reveal()).toBe("p");
    expect(config.target.password?.reveal()).toBe("from file");
    expect(config.log).toEqual({ level: "debug", dir: resolve("log"), consoleEnabled: false, format: "json" });
    expect(config.advanced).toMatchObject({ workers: 4, batchBytes: 65_536, connectTimeoutMs: 500 });
    expect(config.advanced.limits).toMatchObject({ stringBytes: 1_048_576, elements: 10 });
  });

  test("policies: mappings and their plain forms, databases as text and as a mapping", () => {
    const yaml = "stateDir: ../state\ntaskName: t\nconflict: skip\nsweep: dry-run\nunsupported: {bloom: drop}\n";
    const flags = { ...BOTH, "write-mode": "commands", "unsupported-json": "fail" };
    const config = load({ yaml: `${yaml}databases: {1: 0, 2: '0:two:', '*': '3:db{db}:'}\n`, flags });
    expect([config.taskDir, config.writeMode]).toEqual([resolve("state/t"), "commands"]);
    expect([config.conflict.policy, config.sweep.mode]).toEqual(["skip", "dry-run"]);
    expect(config.unsupported).toMatchObject({ bloom: "drop", json: "fail", cms: "auto" });
    expect(config.databases).toEqual([
      { source: 1, target: 0, prefix: "" },
      { source: 2, target: 0, prefix: "two:" },
      { source: undefined, target: 3, prefix: "db{db}:" },
    ]);
    expect(load({ flags: { ...BOTH, databases: "1=0, *=3:db{db}:" } }).databases).toEqual([
      { source: 1, target: 0, prefix: "" },
      { source: undefined, target: 3, prefix: "db{db}:" },
    ]);
  });

  test("flags win over variables, variables over the file", () => {
    const yaml = "source: file:1\ntarget: file:2\ntaskName: file\nlog: {level: error}\n";
    const env = { DF2REDIS_TARGET: "env:2", DF2REDIS_TASK_NAME: "env", DF2REDIS_ADVANCED_WORKERS: "3" };
    const config = load({ yaml, env, flags: { task: "flag", workers: "5" } });
    expect([config.source.host, config.target.host, config.taskName]).toEqual(["file", "env", "flag"]);
    expect([config.log.level, config.advanced.workers]).toEqual(["error", 5]);
  });

  test("a URL's user and password have the precedence of the place of the URL", () => {
    const yaml = "source: s:1\ntarget: {addr: a:1, user: file, password: file}\n";
    const { target } = load({ yaml, flags: { target: "rediss://flag:flagpw@b:2" } });
    expect(target).toMatchObject({ host: "b", user: "flag", tls: { insecure: false } });
    expect(target.password?.reveal()).toBe("flagpw");
  });

  test.each([
    ["a variable over a file's passwordFile", { DF2REDIS_TARGET_PASSWORD: "env" }, "env"],
    ["an empty variable is not set", { DF2REDIS_TARGET_PASSWORD: "" }, "content"],
  ])("one way of giving a password replaces the other: %s", (_name, env, password) => {
    const yaml = "source: s:1\ntarget: {addr: a:1, passwordFile: /pw}\n";
    expect(load({ yaml, env, files: { "/pw": "content" } }).target.password?.reveal()).toBe(password);
  });

  test("DF2REDIS_CONFIG names the file; --config wins; DF2REDIS_TEST_ variables are ignored", () => {
    const read: string[] = [];
    const readFile = (path: string): string => {
      read.push(path);
      return "source: s:1\ntarget: t:2\n";
    };
    const env = { DF2REDIS_CONFIG: "env.yaml", DF2REDIS_TEST_ANYTHING: "x", PATH: "y" };
    loadConfig({ env, flags: {}, readFile });
    loadConfig({ env, flags: {}, readFile, file: "flag.yaml" });
    expect(read).toEqual(["env.yaml", "flag.yaml"]);
  });

  test.each([
    ["tls: true", true],
    ["tls: {insecure: true}", true],
    ["tls: {serverName: x}", true],
    ["tls: {insecure: false}", false],
    ["tls: {enabled: false, serverName: x}", false],
    ["tls:", false],
  ])("TLS is on when it is asked for: %s", (tls, isOn) => {
    const config = load({ yaml: `source: s:1\ntarget:\n  addr: t:1\n  ${tls}\n` });
    expect(config.target.tls !== undefined).toBe(isOn);
  });

  test.each(["", "# nothing\n", "---\n", "log:\nadvanced:\n"])("an empty file or section is no mistake: %j", (yaml) => {
    expect(load({ yaml, flags: BOTH }).taskName).toBe("default");
  });

  test("anchors and aliases work", () => {
    const yaml = "source: {addr: 's:1', tls: &t {insecure: true}}\ntarget: {addr: 't:1', tls: *t}\n";
    expect(load({ yaml }).target.tls?.insecure).toBe(true);
  });
});

test("a password in place of a mapping is not repeated, whatever YAML makes of its signs", () => {
  for (const yaml of ["source: s:1\ntarget: {Zq0aa:,Zq0bb}\n", "source: s:1\ntarget: {Zq0aa,Zq0bb}\n"])
    expect(mistakes({ yaml }).join("\n")).not.toContain("Zq0");
});

describe("mistakes in the file, with line and column", () => {
  const OK = "source: s:1\ntarget: t:2\n";
  const sizes = "as a number of bytes or like 64 KiB, 8 MiB";
  test.each([
    [
      "unknown key",
      `${OK}bogus: 1\n`,
      "3:1: bogus: is not a known key. Allowed: source, target, taskName, stateDir, databases, conflict, unsupported, sweep, expiry, errors, log, advanced",
    ],
    [
      "unknown nested key with a suggestion",
      "source: {addr: 's:1', pasword: x}\ntarget: t:2\n",
      '1:23: source.pasword: is not a known key; did you mean "password"? Allowed: addr, user, password, passwordFile, tls',
    ],
    [
      "another tool's name",
      "source: s:1\ntarget:\n  addr: t:2\n  address: t:2\n",
      '4:3: target.address: is not a known key; did you mean "addr"? Allowed: addr, user, password, passwordFile, tls, writeMode',
    ],
    [
      "a policy that does not exist",
      `${OK}conflict:\n  policy: merge\n`,
      '4:11: conflict.policy: "merge" is not accepted; allowed: one of overwrite, skip, panic',
    ],
    [
      "databases that are no pairs",
      `${OK}databases: {one: 0}\n`,
      '3:12: databases: "one=0" is not accepted; allowed: pairs like `1=0, 2=0:two:, *=0:db{db}:`, or a mapping of a database to a database or to `database:prefix`',
    ],
    [
      "a key of later",
      `${OK}checkpoint: {enabled: true}\n`,
      "3:1: checkpoint: is not supported: checkpoints come with a later version; remove this key",
    ],
    [
      "a key of the Go tool",
      "source: {type: dragonfly, addr: 's:1'}\ntarget: t:2\n",
      "1:10: source.type: is not supported: the kind of server is found out by asking it; remove this key",
    ],
    [
      "wrong type, number",
      `${OK}taskName: 7\n`,
      "3:11: taskName: is a number, not a text; put it in quotes; allowed: 1 to 64 of the characters A–Z a–z 0–9 . _ -, the first a letter or digit",
    ],
    [
      "wrong type, boolean",
      "source: s:1\ntarget: {addr: 't:2', user: yes, password: true}\n",
      "2:44: target.password: is a true or false, not a text; put it in quotes; allowed: a text",
    ],
    [
      "wrong type, mapping",
      `${OK}log:\n  level: {a: 1}\n`,
      "4:10: log.level: is a mapping; allowed: one of trace, debug, info, warn, error",
    ],
    [
      "wrong type, list",
      `${OK}log:\n  level: [a]\n`,
      "4:10: log.level: is a list; allowed: one of trace, debug, info, warn, error",
    ],
    ["a list for a mapping", `${OK}advanced: [1]\n`, "3:11: advanced: is a list; allowed: a mapping"],
    [
      "a value for a mapping",
      `${OK}log: debug\n`,
      "3:6: log: is a plain value; allowed: a mapping with the keys level, dir, consoleEnabled, format",
    ],
    ["a list for a side", "source: [s]\ntarget: t:2\n", "1:9: source: is a list; allowed: a mapping"],
    [
      "a choice",
      `${OK}log: {level: loud}\n`,
      '3:14: log.level: "loud" is not accepted; allowed: one of trace, debug, info, warn, error',
    ],
    [
      "a range",
      `${OK}advanced:\n  workers: 65\n`,
      "4:12: advanced.workers: 65 is not accepted; allowed: a whole number from 1 to 64",
    ],
    [
      "a fraction",
      `${OK}advanced: {workers: 1.5}\n`,
      "3:21: advanced.workers: 1.5 is not accepted; allowed: a whole number from 1 to 64",
    ],
    [
      "a number in quotes",
      `${OK}advanced: {workers: '4'}\n`,
      '3:21: advanced.workers: "4" is not accepted; allowed: a whole number from 1 to 64',
    ],
    [
      "deep",
      `${OK}advanced:\n  limits:\n    blobBytes: 1MB\n`,
      `5:16: advanced.limits.blobBytes: "1MB" is not accepted; allowed: a size from 1 KiB to 4 GiB, ${sizes}`,
    ],
    [
      "a size in words over its range",
      `${OK}advanced: {batchBytes: 1 GiB}\n`,
      `3:24: advanced.batchBytes: "1 GiB" is not accepted; allowed: a size from 4 KiB to 64 MiB, ${sizes}`,
    ],
    [
      "sizes that do not fit",
      `${OK}advanced: {batchBytes: 16 MiB}\n`,
      "3:24: advanced.windowBytes: is 8388608, less than advanced.batchBytes (16777216); allowed: at least as much",
    ],
    [
      "a boolean",
      `${OK}log: {consoleEnabled: no}\n`,
      '3:23: log.consoleEnabled: "no" is not accepted; allowed: true or false',
    ],
    [
      "a database in the URL",
      "source: s:1\ntarget: redis://t:2/3\n",
      "2:9: target.addr: a database number has no meaning here, because all databases are copied; leave it out",
    ],
    [
      "user twice",
      "source: s:1\ntarget: {addr: 'redis://u:p@t:2', user: v}\n",
      "2:41: target.user: is given twice: in the URL and here",
    ],
    [
      "password twice",
      "source: s:1\ntarget:\n  addr: redis://:p@t:2\n  passwordFile: x\n",
      "4:17: target.passwordFile: a password is given as well (as `password` or in the URL); allowed: one of them",
    ],
    [
      "TLS off and on",
      "source: s:1\ntarget: {addr: 'rediss://t:2', tls: false}\n",
      "2:37: target.tls.enabled: is false, but the URL starts with rediss://",
    ],
    [
      "user alone",
      "source: s:1\ntarget: {addr: 't:2', user: v}\n",
      "2:29: target.user: needs a password; allowed: `password`, `passwordFile` or a URL with both",
    ],
    ["the same server", "source: s:1\ntarget: redis://s:1\n", "2:9: target.addr: is the address of the source as well"],
    ["not a mapping", "- a\n- b\n", "1:1: the file is not a mapping; allowed: lines like `source: host:port`"],
    [
      "a key that is no text",
      `${OK}? [a]\n: 1\n`,
      "3:3: is not a known key. Allowed: source, target, taskName, stateDir, databases, conflict, unsupported, sweep, expiry, errors, log, advanced",
    ],
    ["YAML: tab", `${OK}log:\n\tlevel: info\n`, "4:1: not valid YAML: a tab is used as indentation; use spaces"],
    ["YAML: twice", `${OK}source: x:1\n`, "3:1: not valid YAML: this key is given twice in the same mapping"],
    [
      "YAML: reserved",
      `${OK}taskName: @x\n`,
      "3:11: not valid YAML: a plain text cannot start with this character; put it in quotes",
    ],
    [
      "YAML: alias",
      `${OK}taskName: *x\n`,
      "3:11: not valid YAML: an alias (*name) has no anchor (&name) before it; put a text that starts with * in quotes",
    ],
    [
      "YAML: tag",
      `${OK}taskName: !x y\n`,
      "3:11: not valid YAML: a tag (!name) is not known; put a text that starts with ! in quotes",
    ],
  ])("%s", (_name, yaml, line) => {
    expect(mistakes({ yaml })).toEqual([`conf/a.yaml:${line}`]);
  });

  test("a broken document says nothing about what follows from it", () => {
    const found = mistakes({ yaml: "source: 's:1\ntarget: t:2\nbogus: 1\n" });
    expect(found.length).toBeGreaterThan(0);
    for (const line of found) expect(line).toMatch(/^conf\/a\.yaml:\d+:\d+: not valid YAML: /);
  });

  test("aliases that refer to themselves end", () => {
    expect(mistakes({ yaml: "source: &a {tls: *a}\ntarget: t:2\n" }).length).toBeGreaterThan(0);
  });
});

describe("mistakes elsewhere", () => {
  test.each([
    [{ flags: {} }, "source: is missing; give it in the file, as DF2REDIS_SOURCE or with --source"],
    [{ flags: { source: "s:1" } }, "target: is missing; give it in the file, as DF2REDIS_TARGET or with --target"],
    [
      { flags: { ...BOTH, workers: "many" } },
      'flag --workers: advanced.workers: "many" is not accepted; allowed: a whole number from 1 to 64',
    ],
    [
      { flags: { ...BOTH, source: "s" } },
      "flag --source: source.addr: the port is missing; allowed: host:port, [IPv6]:port, or a URL like redis://host:port",
    ],
    [{ flags: { ...BOTH, bogus: "s" } }, "flag --bogus: is not a known flag"],
    [
      { flags: { ...BOTH, "target-password-file": "/x" } },
      "flag --target-password-file: target.passwordFile: the file cannot be read: there is no such file",
    ],
    [
      { flags: { ...BOTH, "target-password-file": "/x" }, files: { "/x": "\n" } },
      "flag --target-password-file: target.passwordFile: the file is empty",
    ],
    [
      { flags: BOTH, env: { DF2REDIS_SOURCE_PASWORD: "x" } },
      "environment variable DF2REDIS_SOURCE_PASWORD: is not a known variable; did you mean DF2REDIS_SOURCE_PASSWORD?",
    ],
    [{ flags: BOTH, env: { DF2REDIS_ZZZZZZ: "x" } }, "environment variable DF2REDIS_ZZZZZZ: is not a known variable"],
    [
      { flags: BOTH, env: { DF2REDIS_SOURCE_TLS: "yes" } },
      "environment variable DF2REDIS_SOURCE_TLS: source.tls.enabled: this value is not accepted; allowed: true or false",
    ],
    [
      { flags: BOTH, env: { DF2REDIS_CONFIG: "nope.yaml" } },
      "environment variable DF2REDIS_CONFIG: the file nope.yaml cannot be read: there is no such file",
    ],
  ] as [Given, string][])("%j", (given, line) => {
    expect(mistakes(given).at(0)).toBe(line);
  });

  test("all mistakes of all places come at once, the file's in its order", () => {
    const yaml = "target: t\nbogus: 1\nlog: {level: x}\n";
    const env = { DF2REDIS_BOGUS: "1", DF2REDIS_LOG_FORMAT: "x" };
    const flags = { workers: "0" };
    expect(mistakes({ yaml, env, flags }).map((line) => line.split(": ").slice(0, 2).join(": "))).toEqual([
      "conf/a.yaml:1:9: target.addr",
      "conf/a.yaml:2:1: bogus",
      "conf/a.yaml:3:14: log.level",
      "environment variable DF2REDIS_BOGUS: is not a known variable",
      "environment variable DF2REDIS_LOG_FORMAT: log.format",
      "flag --workers: advanced.workers",
      "source: is missing; give it in the file, as DF2REDIS_SOURCE or with --source",
    ]);
  });

  test("the code tells a file that cannot be read from a value that is wrong", () => {
    const codeOf = (given: Given): string => {
      try {
        load(given);
        return "none";
      } catch (thrown) {
        return asDf2RedisError(thrown).code;
      }
    };
    expect(codeOf({ env: { DF2REDIS_CONFIG: "x" } })).toBe("CONFIG_UNREADABLE");
    expect(codeOf({ flags: { ...BOTH, "source-tls-ca": "/x" } })).toBe("CONFIG_UNREADABLE");
    expect(codeOf({ flags: { ...BOTH, workers: "x" } })).toBe("CONFIG_INVALID");
  });
});

test("a loaded configuration can be printed without giving a password away", () => {
  const config = load({ flags: { source: "redis://u:hunter2@s:1", target: "t:2" } });
  for (const text of [inspect(config, { depth: 9 }), JSON.stringify(config), String(config.source.password)]) {
    expect(text).not.toContain("hunter2");
  }
});
