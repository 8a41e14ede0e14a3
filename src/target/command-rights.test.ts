import { describe, expect, test } from "vitest";
import { scriptedServer } from "../../test/support/scripted-server.ts";
import { Conversation } from "../net/conversation.ts";
import { OPTIONAL_COMMANDS } from "./capabilities.ts";
import { findCommandRights, rightOf } from "./command-rights.ts";

describe("rightOf", () => {
  test.each([
    ["ERR unknown command 'RESTORE', with args beginning with: 'k'", "absent"],
    ["ERR unknown subcommand 'LOAD'. Try SCRIPT HELP.", "absent"],
    ["ERR Unknown subcommand or wrong number of arguments for 'LOAD'", "absent"],
    ["NOPERM User keyadmin has no permissions to run the 'restore' command", "forbidden"],
    ["NOPERM this user has no permissions to run the 'eval' command or its subcommand", "forbidden"],
    ["NOPERM No permissions to access a key", "allowed"],
    ["NOPERM this user has no permissions to access one of the keys used as arguments", "allowed"],
    ["ERR DUMP payload version or checksum are wrong", "allowed"],
    ["ERR wrong number of arguments for 'ft.create' command", "allowed"],
    ["READONLY You can't write against a read only replica.", "allowed"],
    ["OOM command not allowed when used memory > 'maxmemory'.", "allowed"],
    ["LOADING Redis is loading the dataset in memory", "unknown"],
    ["CLUSTERDOWN Hash slot not served", "unknown"],
  ])("%s: %s", (message, right) => {
    expect(rightOf({ type: "error", message })).toBe(right);
  });

  test("an answer that is no error", () => {
    expect(rightOf({ type: "null" })).toBe("allowed");
  });
});

test("every call can be told from those of others, and asks of each command once", async () => {
  await using server = await scriptedServer({ answer: () => "-NOPERM No permissions to access a key\r\n" });
  const conversation = await Conversation.open(server.endpoint, {
    role: "target",
    connectTimeoutMs: 2000,
    replyTimeoutMs: 2000,
  });
  const { rights, keysRefused } = await findCommandRights(conversation);
  expect([...rights]).toEqual(OPTIONAL_COMMANDS.map((name) => [name, "allowed"]));
  expect(keysRefused).toBe("NOPERM No permissions to access a key");
  expect(server.requests.map(([name]) => name)).toEqual([...OPTIONAL_COMMANDS]);
  expect(server.requests.every((words) => words.some((word) => word.includes("df2redis:probe")))).toBe(true);
  conversation.close();
});
