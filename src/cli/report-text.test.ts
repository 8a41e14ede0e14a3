import { describe, expect, test } from "vitest";
import { REPORT } from "../../test/support/cli-harness.ts";
import { reportText } from "./report-text.ts";

test("a report without anything special", () => {
  expect(reportText(REPORT))
    .toBe(`Replication stopped after 3 min 12 s: everything received was applied and acknowledged.

  source    127.0.0.1:6380, Dragonfly v1.31.0, master abc, 2 flows
  target    127.0.0.1:6390, redis 7.0.15
  workers   2

Moved
  snapshot  2,000 keys (2.0 s, 1.0 k keys/s)
    string  1,980
    hash       20
  journal   345 entries
  received  192.0 MB (1.0 MB/s over the run)
  written   2,345 commands

Everything was carried as it is.

Applied up to, per flow (the next LSN wanted)
  0: 101   1: 246
`);
});

describe("what could not be carried", () => {
  test("by kind, with samples and databases", () => {
    const text = reportText({
      ...REPORT,
      losses: [
        {
          kind: "json",
          count: 12,
          samples: [
            { db: 0, key: "doc:1" },
            { db: 3, key: "a\\xff" },
          ],
        },
        { kind: "lua", count: 1, samples: [{ db: -1, key: "f1d2" }] },
        { kind: "sticky", count: 2, samples: [] },
        { kind: "jsonAsText", count: 3, samples: [{ db: 0, key: "doc:2" }] },
        { kind: "skippedKeys", count: 1, samples: [{ db: 0, key: "ours" }] },
      ],
    });
    expect(text).toContain(`Could not be carried
  12 × JSON documents
      for example doc:1 (db 0), a\\xff (db 3)
  1 × scripts in the source's script cache
      f1d2
  2 × stickiness of keys (the keys themselves were carried)

Carried in another form
  3 × JSON documents, as strings with their text
      for example doc:2 (db 0)

Left out, as configured
  1 × writes to keys that the target held before (conflict.policy: skip)
      ours (db 0)
`);
  });

  test("rejected entries with command, key, LSN and the server's words", () => {
    const entry = {
      flow: 1,
      lsn: 77,
      db: 2,
      command: "INCR",
      key: "n",
      error: "WRONGTYPE \u001b[31mno",
      class: "fatal",
    } as const;
    const text = reportText({ ...REPORT, rejectedCount: 30, rejected: Array.from({ length: 25 }, () => entry) });
    expect(text).toContain(
      "Left out, refused by the target: 30 entries, the first 20 are\n  INCR n (db 2, flow 1, LSN 77)\n      WRONGTYPE \\x1b[31mno\n",
    );
    expect(text.match(/INCR n/g)).toHaveLength(20);
    expect(text).not.toContain("Everything was carried");
  });
});

describe("other ends", () => {
  test.each([
    [{ mode: "migrate", outcome: "done" }, "Migration done in 3 min 12 s: the snapshot is in the target."],
    [
      { mode: "migrate", outcome: "interrupted" },
      "Migration interrupted after 3 min 12 s: the target does NOT hold the whole snapshot.",
    ],
    [{ mode: "replicate", outcome: "done" }, "Replication ended after 3 min 12 s: everything received was applied."],
  ] as const)("%j", (part, headline) => {
    expect(reportText({ ...REPORT, ...part }).split("\n")[0]).toBe(headline);
  });

  test("a snapshot that is not complete, flows that never began, nothing moved", () => {
    const text = reportText({
      ...REPORT,
      snapshotMs: undefined,
      keysByType: {},
      appliedLsns: [undefined, 5],
      journalEntries: 1,
    });
    expect(text).toContain("snapshot  0 keys (snapshot not complete)\n  journal   1 entry\n");
    expect(text).toContain("0: none   1: 5");
  });

  test("many flows stay compact", () => {
    const text = reportText({ ...REPORT, appliedLsns: Array.from({ length: 13 }, (_, flow) => flow) });
    expect(text.split("Applied up to")[1]?.trimEnd().split("\n")).toHaveLength(4);
  });
});

test("a target that was not empty, with its sweep", () => {
  const sweep = {
    mode: "on",
    looked: 5000,
    found: 3,
    deleted: 2,
    kept: 1,
    samples: [
      { db: 0, key: "old:1" },
      { db: 2, key: "old:2" },
      { db: 0, key: "busy" },
    ],
    keptSamples: [{ db: 0, key: "busy" }],
  } as const;
  expect(reportText({ ...REPORT, conflictPolicy: "overwrite", sweep })).toContain(`The target was not empty
  policy    overwrite
  sweep     2 keys deleted that the source does not have (5,000 keys looked at)
      old:1 (db 0), old:2 (db 2), busy (db 0)
            1 key kept: other clients wrote to them meanwhile
      busy (db 0)
`);
  const dryRun = { ...sweep, mode: "dry-run", deleted: 0 } as const;
  expect(reportText({ ...REPORT, conflictPolicy: "overwrite", sweep: dryRun })).toContain(
    "dry run, 3 keys would have been deleted",
  );
});

test("members that nobody deletes any more, and where refused writes are", () => {
  const text = reportText({
    ...REPORT,
    keptMembers: {
      count: 2,
      file: "state/t/member-deadlines.ndjson",
      samples: [{ db: 1, key: "set", member: "m", deadlineMs: 1_900_000_000_000 }],
    },
    rejectedCount: 1,
    rejected: [{ flow: 0, lsn: 5, db: 0, command: "SORT", key: "k", error: "why", class: "unrunnable" }],
    deadLetterFile: "state/t/dead-letter.ndjson",
  });
  expect(text).toContain("2, all in state/t/member-deadlines.ndjson\n  set m (db 1) until 2030-03-17T17:46:40.000Z\n");
  expect(text).toContain("      why\n  all are in state/t/dead-letter.ndjson\n");
});
