import { describe, expect, test } from "vitest";
import { classifyTargetError, isRetryableError } from "./journal-error-class.ts";

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
    ["JSON.MSET", "ERR wrong number of arguments for 'JSON.MSET' command"],
    ["XREADGROUP", "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."],
    ["XAUTOCLAIM", "ERR wrong number of arguments for 'xautoclaim' command"],
    ["ZDIFFSTORE", "ERR at least 1 input key is needed for 'zdiffstore' command"],
    // 6.2 does not know the command: the piece could run nowhere all the same.
    ["LMPOP", "ERR unknown command `LMPOP`, with args beginning with: `p4:j:lm`, "],
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
    ["XAUTOCLAIM", "NOGROUP No such key 's' or consumer group 'g'"],
    ["SET", "NOPERM this user has no permissions to run the 'set' command"],
    ["RESTORE", "BUSYKEY Target key name already exists."],
    ["RESTORE", "ERR DUMP payload version or checksum are wrong"],
    ["XGROUP", "BUSYGROUP Consumer Group name already exists"],
    ["SET", ""],
    ["SET", "OOMPH"],
  ])("%s, ends the run: %s", (name, words) => {
    expect(classifyTargetError({ name, argc: 6 }, words)).toBe("fatal");
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

  // As real servers of these versions answered.
  const SCRIPT_62 = "ERR Error running script (call to f_cf63a54c34e159e75e5a3fe4794bb2ea636ee005): @user_script:1: ";
  test.each([
    ["6.2, call", `${SCRIPT_62}@user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.`],
    ["6.2, pcall", "@user_script: 1: -OOM command not allowed when used memory > 'maxmemory'."],
    ["6.2, a replica", `${SCRIPT_62}@user_script: 1: -READONLY You can't write against a read only replica.`],
    ["7.4", "OOM command not allowed when used memory > 'maxmemory'. script: cf63a54c34e1, on @user_script:1."],
  ])("inside of a script, %s", (_name, words) => {
    expect(isRetryableError(words)).toBe(true);
    expect(classifyTargetError({ name: "EVAL", argc: 5 }, words)).toBe("retryable");
  });

  test("another error inside of a script stays what it is", () => {
    const words = `${SCRIPT_62}WRONGTYPE Operation against a key holding the wrong kind of value`;
    expect(isRetryableError(words)).toBe(false);
    expect(classifyTargetError({ name: "EVAL", argc: 5 }, words)).toBe("fatal");
    expect(classifyTargetError({ name: "EVAL", argc: 5 }, words, { sourceJournalsFailures: true })).toBe("unrunnable");
    expect(isRetryableError("ERR OOM")).toBe(false);
  });
});

describe("what only the source can do", () => {
  test.each([
    ["SCRIPT", "ERR Error compiling script (new function): user_script:1: '<eof>' expected near '/'"],
    ["JSON.SET", "NONEXISTENT JSON path does not exist"],
    ["JSON.SET", "ERR Path '$.x.y' does not exist"],
    ["JSON.DEL", "ERROR Cannot insert a member into a non-object value"],
  ])("is left out and recorded: %s, %s", (name, words) => {
    expect(classifyTargetError({ name, argc: 3 }, words)).toBe("unrunnable");
  });

  test.each([
    ["SCRIPT", "NOPERM this user has no permissions to run the 'script|load' command"],
    ["SET", "ERR Error compiling script"],
    ["SET", "ERR Path '$.x.y' does not exist"],
    ["JSON.SET", "WRONGTYPE Not a JSON document key"],
    ["JSON.MERGE", "ERR unknown command 'JSON.MERGE', with args beginning with: 'n' '$' '{}' "],
    ["EVAL", "ERR Error compiling script (new function)"],
  ])("other refusals are not: %s, %s", (name, words) => {
    expect(classifyTargetError({ name, argc: 3 }, words)).toBe("fatal");
  });
});
