/** Runs a flow's bytes through the real decoder, arriving as a test likes, and gives what came of it. */
import { DEFAULT_DECODE_LIMITS, type DecodeLimits } from "../../src/bytes/decode-limits.ts";
import { Df2RedisError } from "../../src/errors/df2redis-error.ts";
import { FlowDecoder, type FlowStart } from "../../src/source/flow-decoder.ts";
import { EventRecorder, type RecordedEvent, type RecordedValue } from "./event-recorder.ts";
import type { SeededRandom } from "./hostile.ts";
import { EOF_TOKEN } from "./rdb-builder.ts";

/** Bytes of each piece, in a row; the last one is repeated. */
export type Pieces = readonly number[];

export type FeedOptions = {
  readonly pieces?: Pieces;
  /** Makes the receiver full at random points. */
  readonly pauses?: SeededRandom;
  /** Types whose bodies are taken verbatim. */
  readonly wanted?: (type: number) => boolean;
  readonly limits?: Partial<DecodeLimits>;
  readonly bodyLimitBytes?: number;
  readonly start?: FlowStart;
  readonly flow?: number;
};

export type FedFlow = {
  readonly events: readonly RecordedEvent[];
  readonly decoder: FlowDecoder<RecordedValue>;
  readonly error: Df2RedisError | undefined;
};

export const WHOLE: Pieces = [Number.POSITIVE_INFINITY];
export const BY_BYTE: Pieces = [1];
export const ALL_BODIES = (): boolean => true;
export const FULL_START: FlowStart = { kind: "full", eofToken: EOF_TOKEN };

/** Like `feedFlow`, for bytes that must decode to their last one. */
export function decodeFlow(bytes: Buffer, options: FeedOptions = {}): FedFlow {
  const fed = feedFlow(bytes, options);
  if (fed.error !== undefined) throw fed.error;
  if (fed.decoder.pendingBytes !== 0) throw new Error(`${fed.decoder.pendingBytes} bytes are left over`);
  return fed;
}

/** Any error that is not about the stream is thrown. */
export function feedFlow(bytes: Buffer, options: FeedOptions = {}): FedFlow {
  const recorder = new EventRecorder(options.wanted);
  const { pauses } = options;
  if (pauses !== undefined) recorder.isFull = () => pauses.below(3) === 0;
  const decoder = new FlowDecoder<RecordedValue>({
    flow: options.flow ?? 0,
    start: options.start ?? FULL_START,
    handler: recorder,
    limits: { ...DEFAULT_DECODE_LIMITS, ...options.limits },
    bodyLimitBytes: options.bodyLimitBytes ?? 1 << 20,
  });
  try {
    for (const piece of cut(bytes, options.pieces ?? WHOLE)) {
      decoder.push(piece);
      // What was given belongs to its owner again.
      piece.fill(0xdd);
      while (decoder.decode() === "full");
    }
  } catch (thrown) {
    if (!(thrown instanceof Df2RedisError) || thrown.code === "INTERNAL") throw thrown;
    return { events: recorder.events, decoder, error: thrown };
  }
  return { events: recorder.events, decoder, error: undefined };
}

/** Copies of the pieces. */
export function* cut(bytes: Buffer, pieces: Pieces): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, pieces[Math.min(i, pieces.length - 1)] ?? 1);
    yield Buffer.from(bytes.subarray(at, at + size));
    at += size;
  }
}

export function randomPieces(random: SeededRandom, most: number): Pieces {
  return Array.from({ length: 64 }, () => 1 + random.below(most));
}
