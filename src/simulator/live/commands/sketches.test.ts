/** Filters and sketches: replies, errors and journal, and that they hold what they promise. */
import { describe, expect, test, vi } from "vitest";
import { expectSteps, LiveCommands } from "../../../../test/support/live-commands.ts";

const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";

function words(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

describe("Bloom filters", () => {
  test("replies and journal", () => {
    expectSteps(new LiveCommands(), [
      ["BF.RESERVE bf 0.01 1000", "OK", "BF.RESERVE bf 0.01 1000"],
      ["BF.RESERVE bf 0.01 1000", "-ERR item exists"],
      ["BF.RESERVE new 0.5 1000", "-ERR error rate is out of range"],
      ["BF.RESERVE new x 1000", "-ERR syntax error"],
      ["BF.MADD bf a b a", [1, 1, 0], "BF.MADD bf a b a"],
      ["BF.ADD bf a", 0, "BF.ADD bf a"],
      ["BF.MEXISTS bf a c b", [1, 0, 1]],
      ["BF.EXISTS none a", 0],
      ["TYPE bf", "MBbloom--"],
      ["SET s 1", "OK", "SET s 1"],
      ["BF.ADD s a", WRONG_TYPE],
      ["BF.EXISTS s a", 0],
      ["GET bf", WRONG_TYPE],
    ]);
  });

  test("they grow, forget nothing and keep to their error rate", () => {
    const live = new LiveCommands();
    const items = words("item", 3000);
    live.ask(["BF.MADD", "bf", ...items]);
    const value = live.master.shards[0]?.databases[0]?.get("bf")?.value;
    expect(value?.type === "bloom" ? value.filters.length : 0).toBeGreaterThan(3);
    expect(live.ask(["BF.MEXISTS", "bf", ...items])).toEqual(items.map(() => 1));
    const wrong = (live.ask(["BF.MEXISTS", "bf", ...words("other", 3000)]) as number[]).filter((found) => found === 1);
    expect(wrong.length).toBeLessThan(3000 * 0.02);
  });
});

describe("count-min sketches", () => {
  test("replies and journal", () => {
    expectSteps(new LiveCommands(), [
      ["CMS.INITBYDIM cms 1000 5", "OK", "CMS.INITBYDIM cms 1000 5"],
      ["CMS.INITBYDIM cms 1000 5", "-ERR item exists"],
      ["CMS.INITBYDIM new 0 5", "-ERR CMS: width and depth must be greater than 0"],
      ["CMS.INITBYDIM new 5 101", "-ERR CMS: width must not exceed 1000000 and depth must not exceed 100"],
      ["CMS.INCRBY cms a 5 b 4294967297", [5, 4_294_967_297], "CMS.INCRBY cms a 5 b 4294967297"],
      ["CMS.INCRBY cms a 2", [7], "CMS.INCRBY cms a 2"],
      ["CMS.INCRBY cms a x", "-ERR CMS: Cannot parse number"],
      ["CMS.INCRBY cms a 0", "-ERR CMS: increment must be a positive integer"],
      ["CMS.INCRBY none a 1", "-ERR CMS: key does not exist"],
      ["CMS.QUERY cms a none", [7, 0]],
      ["CMS.QUERY none a", "-ERR CMS: key does not exist"],
      ["TYPE cms", "CMSk-TYPE"],
    ]);
  });
});

describe("top-k", () => {
  test("replies and journal", () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(1);
    expectSteps(new LiveCommands(), [
      ["TOPK.RESERVE tk 2 100 7 0.9", "OK", "TOPK.RESERVE tk 2 100 7 0.9"],
      ["TOPK.RESERVE tk 2", "-ERR item exists"],
      ["TOPK.RESERVE new 0", "-ERR k must be greater than 0"],
      ["TOPK.RESERVE new 2 8 7", "-ERR syntax error"],
      ["TOPK.RESERVE new 2 8 7 1.5", "-ERR decay must be between 0 and 1"],
      ["TOPK.ADD tk a a b", [null, null, null], "TOPK.ADD tk a a b"],
      ["TOPK.ADD tk c", [null], "TOPK.ADD tk c"],
      ["TOPK.ADD tk c c", ["b", null], "TOPK.ADD tk c c"],
      ["TOPK.LIST tk", ["c", "a"]],
      ["TOPK.LIST tk WITHCOUNT", ["c", 3, "a", 2]],
      ["TOPK.ADD none a", "-ERR no such key"],
      ["TYPE tk", "TopK-TYPE"],
    ]);
    random.mockRestore();
  });
});

describe("cuckoo filters", () => {
  test("replies and journal", () => {
    expectSteps(new LiveCommands(), [
      ["CF.RESERVE cf 1000", "OK", "CF.RESERVE cf 1000"],
      ["CF.RESERVE cf 1000", "-ERR item exists"],
      ["CF.RESERVE new 3", "-ERR CF: capacity must be in the range [2 * bucket size, 1073741824]"],
      ["CF.RESERVE new 30 BUCKETSIZE 0", "-ERR CF: bucket size must be between 1 and 255"],
      ["CF.ADD cf a", 1, "CF.ADD cf a"],
      ["CF.ADD cf a", 1, "CF.ADD cf a"],
      ["CF.DEL cf a", 1, "CF.DEL cf a"],
      ["CF.EXISTS cf a", 1],
      ["CF.DEL cf a", 1, "CF.DEL cf a"],
      ["CF.EXISTS cf a", 0],
      ["CF.DEL cf a", 0, "CF.DEL cf a"],
      ["CF.DEL none a", "-ERR no such key"],
      ["CF.EXISTS none a", 0],
      ["TYPE cf", "MBbloomCF"],
    ]);
  });

  test("one that may not grow is full at some time, and then forgets nothing", () => {
    const live = new LiveCommands();
    live.ask("CF.RESERVE cf 16 EXPANSION 0");
    const replies = words("item", 40).map((item) => [item, live.ask(["CF.ADD", "cf", item])] as const);
    const added = replies.filter(([, reply]) => reply === 1).map(([item]) => item);
    expect(replies.filter(([, reply]) => reply === "-ERR Filter is full").length).toBe(40 - added.length);
    expect(added.length).toBeGreaterThan(8);
    expect(added.length).toBeLessThanOrEqual(16);
    expect(live.journal()).toHaveLength(1 + added.length);
    for (const item of added) expect(live.ask(["CF.EXISTS", "cf", item])).toBe(1);
  });

  test("one that grows is compacted as elements go", () => {
    const live = new LiveCommands();
    const filters = (): number => {
      const value = live.master.shards[0]?.databases[0]?.get("cf")?.value;
      return value?.type === "cuckoo" ? value.filters.length : 0;
    };
    const items = words("item", 200);
    live.ask("CF.RESERVE cf 32 EXPANSION 2");
    for (const item of items) live.ask(["CF.ADD", "cf", item]);
    const grown = filters();
    expect(grown).toBeGreaterThan(2);
    for (const item of items.slice(20)) expect(live.ask(["CF.DEL", "cf", item])).toBe(1);
    expect(filters()).toBeLessThan(grown);
    for (const item of items.slice(0, 20)) expect(live.ask(["CF.EXISTS", "cf", item])).toBe(1);
  });
});

test("copies across shards are journaled with a dump of the type, and live on their own", () => {
  const live = new LiveCommands({ shards: 4 });
  const makers = ["BF.ADD bf a", "CMS.INITBYDIM cms 10 2", "TOPK.RESERVE tk 3", "CF.ADD cf a"];
  for (const maker of makers) live.ask(maker);
  live.journal();
  const types = ["bf", "cms", "tk", "cf"].map((key) => {
    const target = words(`${key}:`, 20).find((name) => shardIndex(live, name) !== shardIndex(live, key)) ?? "";
    expect(live.ask(["COPY", key, target])).toBe(1);
    expect(live.ask(["RENAME", key, target])).toBe("OK");
    const journal = live.journal();
    expect(journal.map((entry) => entry.split(" ")[0])).toEqual(["RESTORE", "DEL", "RESTORE"]);
    return live.ask(["TYPE", target]);
  });
  expect(types).toEqual(["MBbloom--", "CMSk-TYPE", "TopK-TYPE", "MBbloomCF"]);
});

function shardIndex(live: LiveCommands, key: string): number {
  return live.master.keyspace.shardOf(Buffer.from(key)).index;
}

test("a release like 1.27 knows the Bloom filters alone", () => {
  expectSteps(new LiveCommands({ dragonflyVersion: "df-v1.27.4" }), [
    ["BF.ADD bf a", 1, "BF.ADD bf a"],
    ["CMS.INITBYDIM cms 10 2", "-ERR unknown command `CMS.INITBYDIM`"],
    ["TOPK.RESERVE tk 3", "-ERR unknown command `TOPK.RESERVE`"],
    ["CF.ADD cf a", "-ERR unknown command `CF.ADD`"],
  ]);
});
