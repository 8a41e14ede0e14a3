/** Runs one spoiled stream through the real decoder and the real translators, down to encoded commands. No socket. */
import { DEFAULT_DECODE_LIMITS, type DecodeLimits } from "../../src/bytes/decode-limits.ts";
import { Df2RedisError } from "../../src/errors/df2redis-error.ts";
import { FlowSink } from "../../src/replication/flow-sink.ts";
import { CommandEncoder } from "../../src/resp/command-encoder.ts";
import { FlowDecoder, type FlowStart } from "../../src/source/flow-decoder.ts";
import type { TargetWriter } from "../../src/target/target-writer.ts";
import type { StreamedValue } from "../../src/target/translate/streamed-value.ts";
import { cut, randomPieces, WHOLE } from "../support/feed-flow.ts";
import { SeededRandom } from "../support/hostile.ts";
import { DROP_ALL, REDIS_62, REDIS_70, REDIS_72 } from "../support/capabilities.ts";
import type { BaseStream } from "./corpus.ts";
import { mutateStream } from "./mutate-stream.ts";

const SMALL_LIMITS: DecodeLimits = { stringBytes: 64 * 1024, blobBytes: 128 * 1024, elements: 10_000 };
const TARGETS = [REDIS_62, REDIS_70, REDIS_72];
const BATCH_BYTES = 64 * 1024;

export type Outcome = {
  readonly kind: "success" | "needsMore" | "error";
  readonly code?: string;
  readonly inputBytes: number;
  readonly commands: number;
};

/** What a `FlowSink` uses of a writer, sending nothing: it is full at random, and whatever is encoded is dropped. */
class NowhereWriter {
  readonly encoder = new CommandEncoder(BATCH_BYTES);
  readonly #random: SeededRandom;
  commands = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  flush(): void {
    if (this.encoder.byteLength >= BATCH_BYTES) this.drop();
  }

  isFull(): boolean {
    return this.#random.below(64) === 0;
  }

  drop(): void {
    const batch = this.encoder.take();
    if (batch === undefined) return;
    this.commands += batch.count;
    this.encoder.release(batch);
  }
}

function makeSink(
  writer: NowhereWriter,
  limits: DecodeLimits,
  options: { readonly random: SeededRandom; readonly inSnapshot: boolean },
): FlowSink {
  const events = {
    cut: () => {},
    snapshotEnded: () => {},
    flushReached: () => {},
    ping: () => {},
    encoded: () => {},
    resumed: () => {},
    failed: () => {},
  };
  const settings = {
    writer: writer as unknown as TargetWriter,
    capabilities: TARGETS[options.random.below(TARGETS.length)] ?? REDIS_70,
    limits,
    losses: { record: () => {} },
    flow: 0,
    unrunnable: () => {},
    readDocument: async () => undefined,
    countKey: () => {},
    onDragonflyVersion: () => {},
    snapshotOnly: false,
    plan: DROP_ALL,
    mapper: undefined,
    gate: undefined,
    memberLimit: 1000,
    expiry: { hold: "snapshot" as const, withinHours: 24 },
    sourceVersion: () => undefined,
    writeMode: "auto" as const,
    events,
    clock: () => 1_800_000_000_000,
  };
  return new FlowSink(settings, options.inSnapshot);
}

/** The stream of a seed, with everything else that the seed decides. @throws whatever is no `Df2RedisError` about the input */
export function runMutant(bases: readonly BaseStream[], seed: number): Outcome {
  const random = new SeededRandom(seed);
  const pick = (): BaseStream => bases[random.below(bases.length)] as BaseStream;
  const base = pick();
  const bytes = mutateStream(base, pick(), random);
  const limits = random.below(2) === 0 ? SMALL_LIMITS : DEFAULT_DECODE_LIMITS;
  return runStream(bytes, { start: base.start, limits, random });
}

export type RunOptions = { readonly start: FlowStart; readonly limits: DecodeLimits; readonly random: SeededRandom };

export function runStream(bytes: Buffer, { start, limits, random }: RunOptions): Outcome {
  const writer = new NowhereWriter(random);
  const sink = makeSink(writer, limits, { random, inSnapshot: start.kind === "full" });
  const bodyLimitBytes = [0, 100, 1 << 20][random.below(3)] ?? 0;
  const decoder = new FlowDecoder<StreamedValue>({ flow: 0, start, handler: sink, limits, bodyLimitBytes });
  const pieces = random.below(3) === 0 ? WHOLE : randomPieces(random, 1 + random.below(4000));
  try {
    for (const piece of cut(bytes, pieces)) {
      decoder.push(piece);
      while (decoder.decode() === "full") {
        if (sink.isHeld) sink.release(0, undefined);
        writer.drop();
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof Df2RedisError) || thrown.code === "INTERNAL") throw thrown;
    return { kind: "error", code: thrown.code, inputBytes: bytes.length, commands: writer.commands };
  }
  writer.drop();
  return {
    kind: decoder.pendingBytes === 0 ? "success" : "needsMore",
    inputBytes: bytes.length,
    commands: writer.commands,
  };
}
