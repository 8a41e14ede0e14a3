import { describe, expect, test } from "vitest";
import { expectSteps, LiveCommands } from "../../../../test/support/live-commands.ts";

const NOW = 1_800_000_000_000;

describe("XADD and trimming", () => {
  test("ids", () => {
    const live = new LiveCommands();
    expectSteps(live, [
      ["XADD x NOMKSTREAM * a 1", null],
      ["XADD x 5-1 a 1", "5-1", "XADD x 5-1 a 1"],
      ["XADD x 5-1 a 1", "-ERR The ID specified in XADD is equal or smaller than the target stream top item"],
      ["XADD x 5-* a 1", "5-2", "XADD x 5-2 a 1"],
      ["XADD x * a 1", `${NOW}-0`, `XADD x ${NOW}-0 a 1`],
      ["XADD x * a 1", `${NOW}-1`, `XADD x ${NOW}-1 a 1`],
      ["XADD x NOMKSTREAM 9000000000000-0 a 1", "9000000000000-0", "XADD x NOMKSTREAM 9000000000000-0 a 1"],
      ["XADD x * a 1", "9000000000000-1", "XADD x 9000000000000-1 a 1"],
      ["XADD x 0-0 a 1", "-ERR The ID specified in XADD must be greater than 0-0"],
      ["XADD x abc a 1", "-ERR Invalid stream ID specified as stream command argument"],
      ["XADD x * a", "-ERR wrong number of arguments for 'xadd' command"],
      ["XADD x * a 1 b", "-ERR wrong number of arguments for 'xadd' command"],
      ["XLEN x", 6],
    ]);
  });

  test("a length is journaled as MINID", () => {
    const live = new LiveCommands();
    for (let i = 1; i <= 5; i++) live.ask(`XADD x ${i}-0 a ${i}`);
    live.journal();
    expectSteps(live, [
      ["XADD x MAXLEN 3 6-0 a 6", "6-0", "XADD x MINID 4-0 6-0 a 6"],
      ["XADD x MINID 5 7-0 a 7", "7-0", "XADD x MINID 5 7-0 a 7"],
      ["XADD x MAXLEN ~ 1 8-0 a 8", "8-0", "XADD x MINID 5-0 8-0 a 8"],
      ["XTRIM x MAXLEN 2", 2, "XTRIM x MINID 7-0"],
      ["XTRIM x MINID 8-0", 1, "XTRIM x MINID 8-0"],
      ["XTRIM x MAXLEN 0", 1, "XTRIM x MAXLEN 0"],
      ["XADD x MAXLEN 0 9-0 a 9", "9-0", "XADD x MAXLEN 0 9-0 a 9"],
      ["TYPE x", "stream"],
      ["XTRIM none MAXLEN 0", 0],
    ]);
  });

  test("XRANGE, XREVRANGE, XDEL, XSETID", () => {
    const live = new LiveCommands();
    for (let i = 1; i <= 3; i++) live.ask(`XADD x ${i}-0 a ${i}`);
    live.journal();
    expectSteps(live, [
      [
        "XRANGE x 2 +",
        [
          ["2-0", ["a", "2"]],
          ["3-0", ["a", "3"]],
        ],
      ],
      ["XRANGE x (2-0 +", [["3-0", ["a", "3"]]]],
      ["XREVRANGE x + - COUNT 1", [["3-0", ["a", "3"]]]],
      ["XDEL x 2-0 9-9", 1, "XDEL x 2-0 9-9"],
      ["XSETID x 2-0", "-ERR The ID specified in XSETID is smaller than the target stream top item"],
      ["XSETID x 9-0 ENTRIESADDED 50", "OK", "XSETID x 9-0 ENTRIESADDED 50"],
      ["XREAD COUNT 1 STREAMS x 1-0", [["x", [["3-0", ["a", "3"]]]]]],
      ["XREAD STREAMS x $", null],
    ]);
    const info = live.ask("XINFO STREAM x") as unknown[];
    expect(Object.fromEntries(chunks(info))).toMatchObject({
      length: 2,
      "last-generated-id": "9-0",
      "max-deleted-entry-id": "2-0",
      "entries-added": 50,
      "recorded-first-entry-id": "1-0",
      groups: 0,
    });
  });
});

function chunks(list: readonly unknown[]): [string, unknown][] {
  return list.flatMap((name, i) => (i % 2 === 0 ? [[String(name), list[i + 1]] as [string, unknown]] : []));
}

describe("groups", () => {
  function liveWithGroup(): LiveCommands {
    const live = new LiveCommands();
    for (let i = 1; i <= 4; i++) live.ask(`XADD x ${i}-0 a ${i}`);
    live.ask("XGROUP CREATE x g 0");
    live.journal();
    return live;
  }

  const claim = (consumer: string, id: string): string =>
    `XCLAIM x g ${consumer} 0 ${id} TIME ${NOW} RETRYCOUNT 1 FORCE JUSTID LASTID ${id}`;

  test("reading is journaled as claims and the group's place", () => {
    expectSteps(liveWithGroup(), [
      [
        "XREADGROUP GROUP g c COUNT 2 STREAMS x >",
        [
          [
            "x",
            [
              ["1-0", ["a", "1"]],
              ["2-0", ["a", "2"]],
            ],
          ],
        ],
        "XGROUP CREATECONSUMER x g c",
        claim("c", "1-0"),
        claim("c", "2-0"),
        "XGROUP SETID x g 2-0 ENTRIESREAD 2",
      ],
      [
        "XREADGROUP GROUP g c NOACK COUNT 1 STREAMS x >",
        [["x", [["3-0", ["a", "3"]]]]],
        "XGROUP SETID x g 3-0 ENTRIESREAD 3",
      ],
      ["XREADGROUP GROUP g c STREAMS x 1-0", [["x", [["2-0", ["a", "2"]]]]]],
      ["XACK x g 1-0 1-0", 1, "XACK x g 1-0 1-0"],
      ["XPENDING x g", [1, "2-0", "2-0", [["c", "1"]]]],
      ["XREADGROUP GROUP g other COUNT 0 STREAMS x >", null, "XGROUP CREATECONSUMER x g other"],
      [
        "XREADGROUP GROUP none c STREAMS x >",
        "-NOGROUP No such key 'x' or consumer group 'none' in XREADGROUP with GROUP option",
      ],
    ]);
  });

  test("claims move pending entries", () => {
    const live = liveWithGroup();
    live.ask("XREADGROUP GROUP g c STREAMS x >");
    live.journal();
    live.nowMs += 5000;
    expectSteps(live, [
      ["XCLAIM x g d 9999 1-0", [], "XCLAIM x g d 9999 1-0"],
      ["XCLAIM x g d 1000 1-0 JUSTID", ["1-0"], "XCLAIM x g d 1000 1-0 JUSTID"],
      ["XDEL x 2-0", 1, "XDEL x 2-0"],
      ["XAUTOCLAIM x g d 1000 0 COUNT 3", ["4-0", [["3-0", ["a", "3"]]], ["2-0"]], "XAUTOCLAIM x g d 1000 0 COUNT 3"],
      ["XGROUP DELCONSUMER x g d", 2, "XGROUP DELCONSUMER x g d"],
      ["XPENDING x g", [1, "4-0", "4-0", [["c", "1"]]]],
    ]);
  });

  test("XGROUP", () => {
    expectSteps(liveWithGroup(), [
      ["XGROUP CREATE x g $", "-BUSYGROUP Consumer Group name already exists"],
      [
        "XGROUP CREATE none g $",
        "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
      ],
      ["XGROUP CREATE new g $ MKSTREAM", "OK", "XGROUP CREATE new g $ MKSTREAM"],
      ["XLEN new", 0],
      ["TYPE new", "stream"],
      ["XGROUP CREATECONSUMER x g c", 1, "XGROUP CREATECONSUMER x g c"],
      ["XGROUP SETID x g 3-0 ENTRIESREAD 3", "OK", "XGROUP SETID x g 3-0 ENTRIESREAD 3"],
      ["XGROUP SETID x none 3-0", "-NOGROUP No such consumer group 'none' for key name 'x'"],
      ["XGROUP DESTROY x g", 1, "XGROUP DESTROY x g"],
      ["XGROUP DESTROY x g", 0],
    ]);
  });

  test("XINFO STREAM FULL shows what was delivered", () => {
    const live = liveWithGroup();
    live.ask("XREADGROUP GROUP g c COUNT 1 STREAMS x >");
    const full = Object.fromEntries(chunks(live.ask("XINFO STREAM x FULL") as unknown[]));
    expect(full["entries"]).toHaveLength(4);
    const [group] = full["groups"] as unknown[][];
    expect(Object.fromEntries(chunks(group ?? []))).toEqual({
      name: "g",
      "last-delivered-id": "1-0",
      "entries-read": 1,
      lag: 3,
      "pel-count": 1,
      pending: [["1-0", "c", NOW, 1]],
      consumers: [["name", "c", "seen-time", NOW, "active-time", NOW, "pel-count", 1, "pending", [["1-0", NOW, 1]]]],
    });
  });
});
