/**
 * What each policy makes of an entry or an object. In the entries, keys that begin with "own" are the target's own (in database 0; `own7` in 7, too),
 * all others are free.
 */
import { describe, expect, test } from "vitest";
import { journalCommand, type Word } from "../../test/support/journal-translation.ts";
import { takeCommandLines } from "../../test/support/parse-commands.ts";
import { Slice } from "../bytes/slice.ts";
import type { ConflictPolicy } from "../config/schema.ts";
import type { JournalCommand } from "../journal/journal-command.ts";
import { CommandEncoder } from "../resp/command-encoder.ts";
import { OwnedKeys } from "../target/owned-keys.ts";
import { COMMAND_KEYS } from "../target/translate/command-keys.ts";
import { type ConflictGate, conflictGate } from "./conflict-gate.ts";

const OWN = ["own", "own1", "own2", "own7"];

class GateBench {
  readonly encoder = new CommandEncoder(1 << 16);
  readonly owned = OwnedKeys.create({ expectedKeys: 8, memoryBytes: 1 << 20 });
  readonly losses: string[] = [];
  readonly underivable: string[] = [];
  readonly gate: ConflictGate;

  constructor(policy: ConflictPolicy) {
    for (const key of OWN) this.owned.add(0, Slice.from(key));
    this.owned.add(7, Slice.from("own7"));
    this.gate = conflictGate(policy, {
      owned: this.owned,
      encoder: this.encoder,
      losses: { record: (kind, db, key) => void this.losses.push(`${kind} ${db} ${key.toText()}`) },
      underivable: (command, why) => void this.underivable.push(`${command.arg(0).toText()}: ${why}`),
    });
  }

  object(key: string, db = 0): "write" | "skip" {
    return this.gate.object({ db, key: Slice.from(key) });
  }

  /** The words that the gate lets through; undefined for none. */
  run(words: readonly Word[], db = 0): string | undefined {
    const command = this.gate.command(journalCommand(words, { db, lsn: 42, txid: 9 }));
    return command === undefined ? undefined : text(command);
  }

  line(line: string, db = 0): string | undefined {
    return this.run(line.split(" "), db);
  }

  /** What the gate itself has encoded. */
  lines(): string[] {
    return takeCommandLines(this.encoder);
  }
}

function text(command: JournalCommand): string {
  return Array.from({ length: command.argc }, (_, i) => command.arg(i).toText()).join(" ");
}

const POLICIES = ["overwrite", "skip", "panic"] as const;

describe.each(POLICIES)("%s", (policy) => {
  test("leaves what is free alone: objects, and every command of the table", () => {
    const bench = new GateBench(policy);
    expect(bench.object("free")).toBe("write");
    for (const [name] of COMMAND_KEYS) {
      const line = `${name} a b 1 c d`;
      expect(bench.line(line)).toBe(line);
    }
    expect([bench.lines(), bench.losses, bench.underivable, bench.owned.remaining]).toEqual([[], [], [], 5]);
  });

  test("lets commands through that it does not know: the translator refuses them", () => {
    expect(new GateBench(policy).line("NOSUCH own own1")).toBe("NOSUCH own own1");
  });

  test("lets entries without keys through", () => {
    const bench = new GateBench(policy);
    for (const line of ["FLUSHALL", "FLUSHDB", "SCRIPT LOAD own", "PING", "MOVE", "DEL", "FT.DROPINDEX own"]) {
      expect(bench.line(line)).toBe(line);
    }
    expect([bench.lines(), bench.losses]).toEqual([[], []]);
  });

  test("the same name in another database is another key", () => {
    const bench = new GateBench(policy);
    expect([bench.object("own", 1), bench.line("SET own v", 1)]).toEqual(["write", "SET own v"]);
    expect([bench.lines(), bench.losses]).toEqual([[], []]);
  });
});

describe("overwrite", () => {
  test("an object claims its key and needs nothing else", () => {
    const bench = new GateBench("overwrite");
    expect([bench.object("own"), bench.lines(), bench.owned.remaining]).toEqual(["write", [], 4]);
    expect([bench.line("APPEND own x"), bench.lines()]).toEqual(["APPEND own x", []]);
  });

  test.each([
    ["RPUSH own x", ["UNLINK own"]],
    ["SET own x", ["UNLINK own"]],
    ["MSET own 1 free 2 own1 3", ["UNLINK own", "UNLINK own1"]],
    ["RENAME own free", ["UNLINK own"]],
    ["RENAME own own1", ["UNLINK own", "UNLINK own1"]],
    ["ZUNIONSTORE free 2 own free2", ["UNLINK own"]],
    ["ZUNIONSTORE own1 2 own free2", ["UNLINK own1", "UNLINK own"]],
    ["XGROUP CREATE own g 0", ["UNLINK own"]],
    ["SORT own STORE own1", ["UNLINK own", "UNLINK own1"]],
    ["JSON.MSET own $ 1 own1 $ 2", ["UNLINK own", "UNLINK own1"]],
    ["DEL own own", ["UNLINK own"]],
    ["MOVE own 7", ["UNLINK own"]],
    ["MOVE own7 7", ["UNLINK own7", "SELECT 7", "UNLINK own7"]],
  ])("%s makes room before it is written", (line, before) => {
    const bench = new GateBench("overwrite");
    expect([bench.line(line), bench.lines()]).toEqual([line, before]);
  });

  test("makes room once, also when the key is only read first", () => {
    const bench = new GateBench("overwrite");
    bench.line("COPY own free");
    bench.line("SET own v");
    expect([bench.lines(), bench.object("own"), bench.owned.isUnclaimed(0, Slice.from("own"))]).toEqual([
      ["UNLINK own"],
      "write",
      false,
    ]);
  });

  test("selects the database of the key", () => {
    const bench = new GateBench("overwrite");
    bench.line("SET own7 v", 7);
    expect(bench.lines()).toEqual(["SELECT 7", "UNLINK own7"]);
  });

  test("claims before it encodes: the sweep relies on that", () => {
    const bench = new GateBench("overwrite");
    let wasUnclaimed: boolean | undefined;
    const begin = bench.encoder.beginEncoded.bind(bench.encoder);
    bench.encoder.beginEncoded = (prefix) => {
      wasUnclaimed = bench.owned.isUnclaimed(0, Slice.from("own"));
      begin(prefix);
    };
    bench.line("SET own v");
    expect(wasUnclaimed).toBe(false);
  });

  test("needs no room any more once the sweep has deleted the rest", () => {
    const bench = new GateBench("overwrite");
    bench.owned.retire();
    expect([bench.line("SET own v"), bench.object("own1"), bench.lines()]).toEqual(["SET own v", "write", []]);
  });

  test("keys that are not text", () => {
    const bench = new GateBench("overwrite");
    const key = Buffer.from([0, 255, 13, 10]);
    bench.owned.add(0, Slice.from(key));
    bench.run(["SET", key, "v"]);
    expect(bench.owned.isUnclaimed(0, Slice.from(key))).toBe(false);
  });
});

describe("skip", () => {
  test("an object of the target's own key is skipped and counted", () => {
    const bench = new GateBench("skip");
    expect([bench.object("own"), bench.losses]).toEqual(["skip", ["skippedKeys 0 own"]]);
    expect(bench.object("own")).toBe("skip");
  });

  test.each([
    ["SET own x", ["own"]],
    ["DEL own own1", ["own", "own1"]],
    ["RENAME own own1", ["own", "own1"]],
    ["COPY free own", ["own"]],
    ["ZUNIONSTORE own 2 free own1", ["own"]],
    ["MSETNX own 1 own1 2", ["own", "own1"]],
    ["LMPOP 2 own own1 LEFT", ["own", "own1"]],
    ["SORT free STORE own", ["own"]],
  ])("%s writes nothing but the target's own: skipped", (line, keys) => {
    const bench = new GateBench("skip");
    expect(bench.line(line)).toBeUndefined();
    expect(bench.losses).toEqual(keys.map((key) => `skippedKeys 0 ${key}`));
    expect([bench.underivable, bench.lines()]).toEqual([[], []]);
  });

  test.each([
    ["DEL own a own1 b", "DEL a b", ["own", "own1"]],
    ["UNLINK a own", "UNLINK a", ["own"]],
    ["STICK own a", "STICK a", ["own"]],
    ["MSET own 1 a 2 own1 3 b 4", "MSET a 2 b 4", ["own", "own1"]],
    ["JSON.MSET a $ 1 own $.x 2 b $ 3", "JSON.MSET a $ 1 b $ 3", ["own"]],
    ["RENAME a own", "DEL a", ["own"]],
    ["SMOVE a own m", "SREM a m", ["own"]],
    ["LMOVE a own LEFT RIGHT", "LPOP a", ["own"]],
    ["LMOVE a own right left", "RPOP a", ["own"]],
    ["BLMOVE a own LEFT RIGHT 0", "LPOP a", ["own"]],
    ["RPOPLPUSH a own", "RPOP a", ["own"]],
    ["BRPOPLPUSH a own 0", "RPOP a", ["own"]],
    ["PFCOUNT own a", "PFCOUNT own a", []],
  ])("%s becomes %s", (line, left, keys) => {
    const bench = new GateBench("skip");
    expect(bench.line(line)).toBe(left);
    expect(bench.losses).toEqual(keys.map((key) => `skippedKeys 0 ${key}`));
    expect([bench.underivable, bench.lines(), bench.owned.remaining]).toEqual([[], [], 5]);
  });

  test("MOVE between two of the target's own is skipped", () => {
    const bench = new GateBench("skip");
    expect([bench.line("MOVE own7 7"), bench.losses]).toEqual([
      undefined,
      ["skippedKeys 0 own7", "skippedKeys 7 own7"],
    ]);
  });

  test.each([
    "RENAME own free",
    "RENAMENX own free",
    "RENAMENX free own",
    "MOVE own 3",
    "COPY own free",
    "SMOVE own free m",
    "LMOVE own free LEFT LEFT",
    "RPOPLPUSH own free",
    "ZUNIONSTORE free 2 own free2",
    "ZRANGESTORE free own 0 -1",
    "SORT own STORE free",
    "GEORADIUS own 0 0 1 m STORE free",
    "PFMERGE free own",
    "PFMERGE free a own",
    "CMS.MERGE free 1 own",
    "LMPOP 2 own free LEFT",
    "ZMPOP 2 free own MIN",
    "MSETNX own 1 free 2",
    "SMOVE a own",
    "LMOVE a own LEFTISH LEFT",
  ])("%s cannot be derived and is reported", (line) => {
    const bench = new GateBench("skip");
    expect(bench.line(line)).toBeUndefined();
    expect(bench.underivable).toEqual([
      expect.stringMatching(new RegExp(`^${line.split(" ")[0]}: it depends on a key`)),
    ]);
    expect([bench.losses, bench.lines()]).toEqual([[], []]);
  });

  test("MOVE to where the target has that key is reported: it may have done nothing", () => {
    const bench = new GateBench("skip");
    expect([bench.line("MOVE own7 7", 1), bench.underivable.length, bench.losses]).toEqual([undefined, 1, []]);
  });

  test("an entry that reads the target's own and writes nothing passes", () => {
    expect(new GateBench("skip").line("SORT own")).toBe("SORT own");
  });

  test("what is left keeps its place in the journal, and one entry leaves nothing to the next", () => {
    const bench = new GateBench("skip");
    bench.line("MSET a 1 b 2 c 3 own 4");
    const left = bench.gate.command(journalCommand(["DEL", "own", "a"], { db: 0, lsn: 43, txid: 7 }));
    expect(left).toMatchObject({ db: 0, lsn: 43, txid: 7, argc: 2 });
    expect(left === undefined ? "" : text(left)).toBe("DEL a");
  });
});

describe("a MOVE to another database and another name", () => {
  const moved = (bench: GateBench, from: string, to: string): "write" | "skip" =>
    bench.gate.moved(
      { from: { db: 0, key: Slice.from(from) }, to: { db: 7, key: Slice.from(to) } },
      journalCommand(["MOVE", "k", "7"], { lsn: 42 }),
    );

  test.each(POLICIES)("%s: between free keys", (policy) => {
    const bench = new GateBench(policy);
    expect([moved(bench, "own8", "own"), bench.lines(), bench.losses]).toEqual(["write", [], []]);
  });

  test("overwrite makes room at both places", () => {
    const bench = new GateBench("overwrite");
    expect([moved(bench, "own", "own7"), bench.lines()]).toEqual(["write", ["UNLINK own", "SELECT 7", "UNLINK own7"]]);
    expect([moved(bench, "own", "own7"), bench.lines()]).toEqual(["write", []]);
  });

  test("skip leaves it out between two of the target's own, and reports it otherwise", () => {
    const bench = new GateBench("skip");
    expect([moved(bench, "own", "own7"), bench.losses]).toEqual(["skip", ["skippedKeys 0 own", "skippedKeys 7 own7"]]);
    expect(bench.underivable).toEqual([]);
    expect([moved(bench, "free", "own7"), moved(bench, "own", "free")]).toEqual(["skip", "skip"]);
    expect([bench.underivable.length, bench.losses.length, bench.lines()]).toEqual([2, 2, []]);
  });

  test.each([
    ["own", "free", { db: 0, key: "own", command: "MOVE", lsn: 42 }],
    ["free", "own7", { db: 7, key: "own7", command: "MOVE", lsn: 42 }],
  ])("panic ends the run: %s to %s", (from, to, context) => {
    expect(() => moved(new GateBench("panic"), from, to)).toThrow(
      expect.objectContaining({ code: "KEY_CONFLICT", context }),
    );
  });
});

describe("panic", () => {
  test("an object of a key that the target has ends the run", () => {
    expect(() => new GateBench("panic").object("own")).toThrow(
      expect.objectContaining({
        code: "KEY_CONFLICT",
        context: { db: 0, key: "own" },
        message:
          'the target held the key "own" in database 0 before the run, and the source has it, too; conflict.policy is panic',
      }),
    );
  });

  test.each(["SET own v", "MSET free 1 own 2", "COPY own free", "COPY free own", "MOVE own 3"])("%s does", (line) => {
    expect(() => new GateBench("panic").line(line)).toThrow(
      expect.objectContaining({
        code: "KEY_CONFLICT",
        context: { db: 0, key: "own", command: line.split(" ")[0], lsn: 42 },
      }),
    );
  });

  test("MOVE into a database where the target has the key does", () => {
    expect(() => new GateBench("panic").line("MOVE own7 7", 1)).toThrow(
      expect.objectContaining({ context: expect.objectContaining({ db: 7, key: "own7" }) }),
    );
  });

  test("a key that is not text is shown safely", () => {
    const bench = new GateBench("panic");
    const key = Buffer.from([27, 255]);
    bench.owned.add(0, Slice.from(key));
    expect(() => bench.run(["SET", key, "v"])).toThrow(/"\\x1b\\xff"/);
  });
});
