import { expect, test } from "vitest";
import { LiveCommands } from "../../../../test/support/live-commands.ts";

test.each([
  ["df-v1.27.4", 100_000],
  ["df-v1.32.0", 100_000],
  ["df-v1.33.0", -1],
  ["df-v1.40.1", -1],
])("%s: a whole document in place of another, with its deadline or without", (dragonflyVersion, left) => {
  const live = new LiveCommands({ dragonflyVersion });
  for (const set of [
    ["JSON.SET", "j", "$", "[2]"],
    ["JSON.MSET", "j", "$", "[3]"],
  ]) {
    live.ask(["JSON.SET", "j", "$", "[1]"]);
    live.ask("PEXPIRE j 100000");
    expect(live.ask(set)).toBe("OK");
    expect(live.ask("PTTL j")).toBe(left);
  }
  // A change of a part leaves it alone, everywhere.
  live.ask("PEXPIRE j 5000");
  expect(live.ask("JSON.SET j $[0] 7")).toBe("OK");
  expect(live.ask("PTTL j")).toBe(5000);
});
