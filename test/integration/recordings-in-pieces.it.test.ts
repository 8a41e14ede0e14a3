/** The same end whatever the size of the pieces that the source's bytes arrive in. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { feedInPieces, type PieceFeed } from "../support/feed-in-pieces.ts";
import { expectExpectedState, replicateWhole } from "../support/recording-checks.ts";
import { openRecording, recordingNames } from "../support/recordings.ts";
import { RedisPool } from "../support/redis-pool.ts";

const pool = new RedisPool(4);
beforeAll(() => pool.start());
afterAll(() => pool.stop());

describe.each([1, 7, 4096])("decoders are fed in pieces of %d bytes", (size) => {
  let feed: PieceFeed;
  let bytes = 0;
  beforeAll(() => {
    feed = feedInPieces(size);
  });
  afterAll(() => {
    feed.restore();
    expect(feed.pieces()).toBeGreaterThanOrEqual(bytes / size);
  });

  test.concurrent.each(recordingNames())("%s", async (name) => {
    const recording = openRecording(name);
    await using target = await pool.take();
    await replicateWhole({ recording, targetPort: target.port, workers: 1 });
    await expectExpectedState({ recording, port: target.port });
    for (const { master, replyEnd } of (recording.second ?? recording.first).flows) bytes += master.length - replyEnd;
  });
});

describe("the master sends in pieces", () => {
  test.concurrent.each([
    [1, "dragonfly-1.27.4/flush"],
    [7, "dragonfly-1.40.1/big"],
    [4096, "dragonfly-1.40.1/types-4flows"],
  ])("of %d bytes: %s", async (chunkBytes, name) => {
    const recording = openRecording(name);
    await using target = await pool.take();
    await replicateWhole({ recording, targetPort: target.port, chunkBytes, workers: 1 });
    await expectExpectedState({ recording, port: target.port });
  });
});
