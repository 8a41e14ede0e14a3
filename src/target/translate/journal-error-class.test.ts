import { describe, expect, test } from "vitest";
import { classifyTargetError } from "./journal-error-class.ts";

const SET = { name: "SET", argc: 3 };

describe("errors of the target", () => {
  test.each([
    "LOADING Redis is loading the dataset in memory",
    "-LOADING Redis is loading the dataset in memory",
    "READONLY You can't write against a read only replica.",
    "OOM command not allowed when used memory > 'maxmemory'.",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "NOREPLICAS Not enough good replicas to write.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "CLUSTERDOWN The cluster is down",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
  ])("may pass: %s", (words) => {
    expect(classifyTargetError(SET, words)).toBe("retryable");
  });

  test.each([
    ["LMPOP", "ERR wrong number of arguments for 'lmpop' command"],
    ["ZMPOP", "ERR wrong number of arguments for 'zmpop' command"],
    ["GEORADIUS", "ERR wrong number of arguments for 'georadius' command"],
    ["SORT", "ERR syntax error"],
    ["ZRANGESTORE", "ERR wrong number of arguments for 'zrangestore' command"],
    ["ZUNIONSTORE", "ERR value is not an integer or out of range"],
    ["ZINTERSTORE", "ERR wrong number of arguments for 'zinterstore' command"],
  ])("a piece of %s could run nowhere: %s", (name, words) => {
    expect(classifyTargetError({ name, argc: 2 }, words)).toBe("unrunnable");
  });

  test.each([
    ["SET", "ERR wrong number of arguments for 'set' command"],
    ["SET", "ERR syntax error"],
    ["INCR", "ERR value is not an integer or out of range"],
    ["INCR", "WRONGTYPE Operation against a key holding the wrong kind of value"],
    ["LMPOP", "WRONGTYPE Operation against a key holding the wrong kind of value"],
    ["LMPOP", "ERR unknown command 'LMPOP', with args beginning with: "],
    ["SET", "NOPERM this user has no permissions to run the 'set' command"],
    ["RESTORE", "BUSYKEY Target key name already exists."],
    ["RESTORE", "ERR DUMP payload version or checksum are wrong"],
    ["XGROUP", "BUSYGROUP Consumer Group name already exists"],
    ["SET", ""],
    ["SET", "OOMPH"],
  ])("%s, ends the run: %s", (name, words) => {
    expect(classifyTargetError({ name, argc: 3 }, words)).toBe("fatal");
  });

  test("a master before 1.14 journals what failed there, so it may fail here", () => {
    const old = { sourceJournalsFailures: true };
    expect(classifyTargetError({ name: "INCR", argc: 2 }, "WRONGTYPE Operation against a key", old)).toBe("unrunnable");
    expect(classifyTargetError({ name: "INCR", argc: 2 }, "ERR value is not an integer or out of range", old)).toBe(
      "unrunnable",
    );
    expect(classifyTargetError({ name: "INCR", argc: 2 }, "ERR unknown command 'INCR'", old)).toBe("fatal");
    expect(classifyTargetError({ name: "INCR", argc: 2 }, "NOPERM no", old)).toBe("fatal");
    expect(classifyTargetError({ name: "INCR", argc: 2 }, "OOM no", old)).toBe("retryable");
  });
});
