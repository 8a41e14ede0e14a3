/**
 * A fault between the tool and its peers: what bends the connection only changes nothing, what breaks it ends the run with exit code 1 and plain words,
 * at once or by a timeout of the tool's own. Never a hang, never a report, never an acknowledgement of what the target does not have.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "../../src/errors/codes.ts";
import type { RecordedFlow } from "../../src/simulator/recording.ts";
import {
  endWithin,
  errorOf,
  type FaultedPeers,
  type FaultedPeersOptions,
  runHere,
  startFaultedPeers,
} from "../support/faulted-peers.ts";
import { controlConnection, flowConnection } from "../support/faults/connection-selectors.ts";
import type { CutKind } from "../support/faults/fault-action.ts";
import type { FaultRule, RulePlace } from "../support/faults/fault-rules.ts";
import { testSeed } from "../support/faults/test-seed.ts";
import { expectExpectedState } from "../support/recording-checks.ts";
import { openRecording } from "../support/recordings.ts";
import { type PooledRedis, RedisPool } from "../support/redis-pool.ts";
import type { CliHere } from "../support/run-cli-here.ts";

const recording = openRecording("dragonfly-1.40.1/types-4flows");
const { flows } = recording.first;
const [, flow1] = flows as [RecordedFlow, RecordedFlow];

const pool = new RedisPool(4);
beforeAll(() => pool.start());
afterAll(() => pool.stop());

type Peers = Omit<FaultedPeersOptions, "recording" | "targetPort">;

async function withPeers(
  options: Peers,
  body: (peers: FaultedPeers, target: PooledRedis) => Promise<void>,
): Promise<void> {
  await using target = await pool.take();
  await using peers = await startFaultedPeers({ recording, targetPort: target.port, ...options });
  try {
    await body(peers, target);
  } catch (error) {
    if (error instanceof Error) error.message += `\n${peers.report()}`;
    throw error;
  }
}

/** Everything is acknowledged, or the run has ended before. */
async function finish(run: CliHere, peers: FaultedPeers): Promise<void> {
  await Promise.race([peers.master.whenAllAcked(), run.ended]);
  run.signal("SIGINT");
  expect([await endWithin(run, 10_000), errorOf(run)]).toEqual([0, undefined]);
  expect(peers.master.errors).toEqual([]);
  expect(run.event("report")?.["appliedLsns"]).toEqual(flows.map(({ finalLsn }) => finalLsn));
}

/** The run has ended as a failure should; gives its words. */
async function expectFailure(run: CliHere, codes: readonly ErrorCode[]): Promise<string> {
  expect(await endWithin(run, 10_000)).toBe(1);
  const error = errorOf(run);
  expect([error?.code, error?.message]).toEqual([expect.toBeOneOf([...codes]), expect.any(String)]);
  expect(run.event("report")).toBeUndefined();
  expect(run.event("phase")?.["phase"]).toBe("failed");
  return error?.message ?? "";
}

describe.concurrent("what bends the connections leads to the same end", () => {
  /** Byte by byte where the stream changes its kind, in larger pieces in between, so that it does not take minutes. */
  function pieces({ flow, replyEnd, fullSyncEnd = 0, stableStart }: RecordedFlow): FaultRule[] {
    const sizes = [
      [0, 1],
      [replyEnd + 1500, 211],
      [fullSyncEnd - 200, 1],
      [stableStart + 1500, 47],
    ] as const;
    return sizes.map(([offset, pieceBytes]) => ({
      connection: flowConnection(flow),
      at: { direction: "toClient", offset },
      action: { do: "split", pieceBytes, direction: "toClient" },
    }));
  }

  test.each([1, 2])("single bytes from the source, and of all that is said to it (%d workers)", async (workers) => {
    const rules: FaultRule[] = [
      { connection: controlConnection(), at: { direction: "toClient", offset: 0 }, action: { do: "split" } },
      { connection: "every", at: { direction: "toTarget", offset: 0 }, action: { do: "split", direction: "toTarget" } },
      ...flows.flatMap(pieces),
    ];
    await withPeers({ workers, source: { rules } }, async (peers, { port }) => {
      await using run = runHere(peers);
      await finish(run, peers);
      await expectExpectedState({ recording, port });
    });
  });

  test("single bytes of the target's replies, small pieces of its commands", async () => {
    await withPeers({ workers: 2 }, async (peers, { port }) => {
      peers.target.split(1, "toClient");
      peers.target.split(97, "toTarget");
      await using run = runHere(peers, { DF2REDIS_ADVANCED_REPLY_TIMEOUT_MS: "20000" });
      await finish(run, peers);
      await expectExpectedState({ recording, port });
    });
  });

  test("every byte late on both sides", async () => {
    await withPeers({}, async (peers, { port }) => {
      peers.source.delay(30);
      peers.target.delay(20);
      await using run = runHere(peers);
      await finish(run, peers);
      await expectExpectedState({ recording, port });
    });
  });

  test("a slow source and a slower target", async () => {
    await withPeers({}, async (peers, { port }) => {
      peers.source.throttle(800_000, "toClient");
      peers.target.throttle(250_000, "toTarget");
      await using run = runHere(peers);
      await finish(run, peers);
      await expectExpectedState({ recording, port });
    });
  });
});

type Place = { readonly connection: FaultRule["connection"]; readonly at: RulePlace };

const { replyEnd, fullSyncEnd = 0, stableStart, master: flow1Bytes } = flow1;

function onFlow1(offset: number): Place {
  return { connection: flowConnection(1), at: { direction: "toClient", offset } };
}

function onControl(at: RulePlace): Place {
  return { connection: controlConnection(), at };
}

/** The tool's first connection is the control connection; its first bytes come before it can be told by what it says. */
const FIRST_BYTES = { connection: 0 } as const;

const SOURCE_PLACES: Readonly<Record<string, Place>> = {
  "inside the reply to PING": { ...FIRST_BYTES, at: { direction: "toClient", offset: 3 } },
  "inside the answer that makes us a replica": onControl({ direction: "toClient", after: "+SYNC" }),
  "before CLIENT-VERSION is answered": onControl({ direction: "toTarget", after: /CLIENT-VERSION\r\n.*\r\n/ }),
  "inside the reply to DFLY FLOW": onFlow1(20),
  "behind the reply to DFLY FLOW": onFlow1(replyEnd),
  "before DFLY SYNC is answered": onControl({ direction: "toTarget", after: /SYNC\r\n\$5\r\nSYNC\d\r\n/ }),
  "at the first bytes of the snapshot": onFlow1(replyEnd + 4),
  "inside the snapshot": onFlow1(Math.round((replyEnd + fullSyncEnd) / 2)),
  "before the last byte of FULLSYNC_END": onFlow1(fullSyncEnd - 1),
  "between the cut and STARTSTABLE": onFlow1(fullSyncEnd),
  "before STARTSTABLE is answered": onControl({ direction: "toTarget", after: "STARTSTABLE" }),
  "inside the EOF token": onFlow1(stableStart - 20),
  "where the journal starts": onFlow1(stableStart),
  "inside the journal": onFlow1(Math.round((stableStart + flow1Bytes.length) / 2)),
  "behind the last entry": onFlow1(flow1Bytes.length),
};

/** A request may be under way while another connection breaks; then the master answers that it has forgotten the session. */
const SOURCE_LOST: readonly ErrorCode[] = ["CONNECTION_LOST", "SOURCE_REFUSED"];

const CUT_WORDS: Readonly<Record<CutKind, RegExp>> = {
  // Whoever writes into a closed connection hears of it in another way.
  fin: /closed (the connection|by the other side)|was (reset|closed) by the other side|forgotten our session/,
  rst: /was (reset|closed) by the other side|closed the connection|forgotten our session/,
};

function breaches({ master }: FaultedPeers): string[] {
  return master.errors.filter((what) => !what.includes("syncid not found"));
}

describe.each<CutKind>(["fin", "rst"])("the connection to the source is cut (%s)", (how) => {
  test.each(Object.entries(SOURCE_PLACES))("%s", async (_, place) => {
    const rules = [{ ...place, action: { do: "cut", how } }] as const;
    await withPeers({ workers: 1, source: { rules } }, async (peers) => {
      await using run = runHere(peers);
      const words = await expectFailure(run, SOURCE_LOST);
      expect(words).toContain(`the source Dragonfly at ${peers.source.address}`.slice(4));
      expect(words).toMatch(CUT_WORDS[how]);
      expect(breaches(peers)).toEqual([]);
    });
  });

  test.each(["between the cut and STARTSTABLE", "inside the EOF token", "before STARTSTABLE is answered"])(
    "migrate: %s, the snapshot is not called complete",
    async (name) => {
      const rules = [{ ...(SOURCE_PLACES[name] as Place), action: { do: "cut", how } }] as const;
      await withPeers({ mode: "migrate", workers: 1, source: { rules } }, async (peers) => {
        await using run = runHere(peers);
        await expectFailure(run, SOURCE_LOST);
      });
    },
  );
});

/** A byte of flow 1's stream becomes another one. */
function become(offset: number, byte: number): { readonly place: Place; readonly xor: number } {
  return { place: onFlow1(offset), xor: (flow1Bytes[offset] ?? 0) ^ byte };
}

/** Where the bytes `wanted` stand in flow 1's stream. */
function find(wanted: readonly number[], from: number): number {
  const at = flow1Bytes.indexOf(Buffer.from(wanted), from);
  expect(at).toBeGreaterThan(0);
  return at;
}

const LZ4_MAGIC = [0x04, 0x22, 0x4d, 0x18];
const JOURNAL_OFFSET = 211;

/** Bytes whose change can be seen. The protocol has no checksums, so that of a byte inside a value cannot, by any replica. */
const CORRUPTIONS: Readonly<Record<string, { readonly place: Place; readonly xor: number; readonly code: ErrorCode }>> =
  {
    "the PONG": {
      place: { ...FIRST_BYTES, at: { direction: "toClient", offset: 1 } },
      xor: 0x20,
      code: "PROTOCOL_VIOLATION",
    },
    "a reply's type": {
      place: onControl({ direction: "toClient", after: "+PONG\r\n" }),
      xor: 0xff,
      code: "PROTOCOL_VIOLATION",
    },
    // For all that can be known, the rest of that line is still to come.
    "a line's end": {
      place: { ...FIRST_BYTES, at: { direction: "toClient", after: "+PONG\r" } },
      xor: 0x55,
      code: "TIMEOUT",
    },
    "the master's id": {
      place: onControl({ direction: "toClient", after: /\*[345]\r\n\+/ }),
      xor: 0x80,
      code: "PROTOCOL_VIOLATION",
    },
    "the sync id": { place: onControl({ direction: "toClient", after: "SYN" }), xor: 0x20, code: "PROTOCOL_VIOLATION" },
    FULL: { ...become(7, 0x55), code: "PROTOCOL_VIOLATION" },
    "the announced EOF token": {
      place: onFlow1(replyEnd - 3),
      xor: (flow1Bytes[replyEnd - 3] ?? 0) ^ 0x30 ^ 1,
      code: "STREAM_CORRUPT",
    },
    "the snapshot's first byte": { ...become(replyEnd, 0x50), code: "STREAM_CORRUPT" },
    "an opcode of the snapshot": { ...become(replyEnd + 9, 199), code: "STREAM_CORRUPT" },
    "the head of a compressed block": { ...become(find(LZ4_MAGIC, replyEnd), 5), code: "STREAM_CORRUPT" },
    JOURNAL_OFFSET: { ...become(find([JOURNAL_OFFSET], fullSyncEnd), 199), code: "STREAM_CORRUPT" },
    "the EOF opcode": { ...become(stableStart - 49, 199), code: "STREAM_CORRUPT" },
    "the EOF token": { place: onFlow1(stableStart - 1), xor: 1, code: "STREAM_CORRUPT" },
    "the first journal entry": { ...become(stableStart, 99), code: "STREAM_CORRUPT" },
  };

describe("a byte from the source is changed", () => {
  test.each(Object.entries(CORRUPTIONS))("%s", async (_, { place, xor, code }) => {
    const rules = [{ ...place, action: { do: "corrupt", direction: "toClient", xor } }] as const;
    await withPeers({ workers: 1, source: { rules } }, async (peers) => {
      await using run = runHere(peers);
      const words = await expectFailure(run, [code]);
      // Where to look: the peer during the handshake, flow and offset in a stream.
      expect(words).toMatch(/source Dragonfly at|flow 1, offset \d+/);
    });
  });
});

/** Connections to the target, with one worker: the first asks what it is, the second writes. */
const TARGET_PLACES: Readonly<Record<string, Place>> = {
  "before it has said a word": { connection: 0, at: { direction: "toTarget", offset: 10 } },
  "inside the first reply": { connection: 0, at: { direction: "toClient", offset: 10 } },
  "before the first write": { connection: 1, at: { direction: "toTarget", offset: 0 } },
  "inside the snapshot": { connection: 1, at: { direction: "toTarget", offset: 70_000 } },
  "inside a reply": { connection: 1, at: { direction: "toClient", offset: 1003 } },
};

describe.each<CutKind>(["fin", "rst"])("the connection to the target is cut (%s)", (how) => {
  test.each(Object.entries(TARGET_PLACES))("%s", async (_, place) => {
    const rules = [{ ...place, action: { do: "cut", how } }] as const;
    await withPeers({ workers: 1, target: { rules } }, async (peers) => {
      await using run = runHere(peers);
      const words = await expectFailure(run, ["CONNECTION_LOST", "CONNECT_FAILED"]);
      expect(words).toContain(`target Redis at ${peers.target.address}`);
      expect(peers.master.errors).toEqual([]);
    });
  });
});

describe("a byte between the tool and the target is changed", () => {
  // Behind +PONG and the +OK of CLIENT SETNAME come the replies to what was written: to keys, when scripts are left out.
  const WITHOUT_SCRIPTS = { DF2REDIS_UNSUPPORTED_LUA: "drop" };
  const TYPE = { connection: 1, at: { direction: "toClient", offset: 12 } } as const;
  const LINE_END = { connection: 1, at: { direction: "toClient", after: /\+PONG\r\n\+OK\r\n\+OK\r/ } } as const;

  test.each<[string, Place, number, ErrorCode, RegExp]>([
    ["a reply's type", TYPE, 0x80, "PROTOCOL_VIOLATION", /target Redis at .* sent something that is no reply/],
    ["a reply into a refusal", TYPE, 0x06, "TARGET_REJECTED", /the target refused RESTORE of key ".*OK$/],
    ["a line's end", LINE_END, 0x40, "PROTOCOL_VIOLATION", /target Redis at .* sent something that is no reply/],
  ])("%s", async (_, place, xor, code, expected) => {
    const rules = [{ ...place, action: { do: "corrupt", direction: "toClient", xor } }] as const;
    await withPeers({ workers: 1, target: { rules } }, async (peers) => {
      await using run = runHere(peers, WITHOUT_SCRIPTS);
      expect(await expectFailure(run, [code])).toMatch(expected);
    });
  });

  test.each([
    ["a command's head", /\r\n(?=\*\d\r\n\$7\r\nRESTORE)/, 1],
    ["a length", /\r\n\*\d\r\n\$(?=7\r\nRESTORE)/, 0x40],
    ["a command's name", /\r\n\*\d\r\n\$7\r\n(?=RESTORE)/, 0x10],
  ])("%s", async (_, after, xor) => {
    const place = { connection: 1, at: { direction: "toTarget", after } } as const;
    const rules = [{ ...place, action: { do: "corrupt", direction: "toTarget", xor } }] as const;
    await withPeers({ workers: 1, target: { rules } }, async (peers) => {
      await using run = runHere(peers);
      await expectFailure(run, ["TARGET_REJECTED", "CONNECTION_LOST", "PROTOCOL_VIOLATION"]);
    });
  });
});

describe("a connection is refused", () => {
  test("by the target, when the tool comes to write", async () => {
    const rules = [{ connection: 0, at: { direction: "toTarget", offset: 1 }, action: { do: "refuse" } }] as const;
    await withPeers({ workers: 2, target: { rules } }, async (peers) => {
      await using run = runHere(peers);
      const words = await expectFailure(run, ["CONNECT_FAILED"]);
      expect(words).toContain(`target Redis at ${peers.target.address}: nothing listens there`);
    });
  });

  test("by the source, when the tool opens its flows", async () => {
    const rules = [{ ...onControl({ direction: "toTarget", offset: 1 }), action: { do: "refuse" } }] as const;
    await withPeers({ workers: 2, source: { rules } }, async (peers) => {
      await using run = runHere(peers);
      const words = await expectFailure(run, ["CONNECT_FAILED"]);
      expect(words).toContain(`source Dragonfly at ${peers.source.address}: nothing listens there`);
    });
  });
});

describe.concurrent("random faults on both sides", () => {
  const connections = [controlConnection(), ...flows.map(({ flow }) => flowConnection(flow))];
  const shape = { count: 6, withinBytes: 200_000, withinMs: 150 } as const;
  const BENDING = ["stall", "delay", "throttle", "split"] as const;
  const first = testSeed();

  test.each([first, first + 1])("that only bend the connections: the same end (seed %d)", async (seed) => {
    const source = { seed, random: { ...shape, connections, kinds: BENDING } };
    const target = { seed: seed + 1000, random: { ...shape, connections: [1, 2], kinds: BENDING } };
    await withPeers({ workers: 2, source, target }, async (peers, { port }) => {
      await using run = runHere(peers, { DF2REDIS_ADVANCED_REPLY_TIMEOUT_MS: "20000" });
      await finish(run, peers);
      await expectExpectedState({ recording, port });
    });
  });

  test.each([first, first + 1, first + 2, first + 3])(
    "that also cut: the same end, or an error (seed %d)",
    async (seed) => {
      const kinds = ["cutFin", "cutRst", ...BENDING] as const;
      const source = { seed, random: { ...shape, count: 3, connections, kinds } };
      const target = { seed: seed + 1000, random: { ...shape, count: 2, connections: [0, 1, 2], kinds } };
      await withPeers({ workers: 2, source, target }, async (peers, { port }) => {
        await using run = runHere(peers, { DF2REDIS_ADVANCED_REPLY_TIMEOUT_MS: "20000" });
        await Promise.race([peers.master.whenAllAcked().catch(() => {}), run.ended]);
        run.signal("SIGINT");
        if ((await endWithin(run, 20_000)) === 0) await expectExpectedState({ recording, port });
        else await expectFailure(run, [...SOURCE_LOST, "CONNECT_FAILED", "TIMEOUT"]);
        expect(breaches(peers)).toEqual([]);
      });
    },
  );
});
