/**
 * Runs the bytes of a flow through the real decoder and the real sink, arriving in pieces, and gives the commands that a target would get, held
 * deadlines put in place at the end. Nothing is sent here.
 */
import { DEFAULT_DECODE_LIMITS } from "../../src/bytes/decode-limits.ts";
import type { WriteMode } from "../../src/config/schema.ts";
import { FlowSink } from "../../src/replication/flow-sink.ts";
import { CommandEncoder } from "../../src/resp/command-encoder.ts";
import { FlowDecoder } from "../../src/source/flow-decoder.ts";
import type { TargetCapabilities } from "../../src/target/capabilities.ts";
import type { FeaturePlan } from "../../src/target/features.ts";
import type { TargetWriter } from "../../src/target/target-writer.ts";
import { bodyLimitBytesFor } from "../../src/target/translate/write-mode.ts";
import type { StreamedValue } from "../../src/target/translate/streamed-value.ts";
import { cut, FULL_START, type Pieces } from "./feed-flow.ts";
import { takeCommands } from "./parse-commands.ts";

export type FlowToTargetOptions = {
  readonly capabilities: TargetCapabilities;
  readonly plan: FeaturePlan;
  readonly writeMode: WriteMode;
  readonly restoreLimitBytes: number;
  readonly pieces: Pieces;
  /** Asked between elements: true makes the decoder stop and be called again. */
  readonly isFull: () => boolean;
};

export type FlowToTarget = {
  readonly commands: Buffer[][];
  /** What was left out or carried otherwise, by kind. */
  readonly losses: Readonly<Record<string, number>>;
  /** Journal entries that no server could run. */
  readonly unrunnable: readonly string[];
};

export function flowToTarget(bytes: Buffer, options: FlowToTargetOptions): FlowToTarget {
  const encoder = new CommandEncoder(1 << 16);
  const commands: Buffer[][] = [];
  const losses: Record<string, number> = {};
  const unrunnable: string[] = [];
  const { capabilities, plan, writeMode, restoreLimitBytes, pieces } = options;
  const writer = { encoder, flush: ignore, isFull: options.isFull };
  const sink = new FlowSink(
    {
      flow: 0,
      writer: writer as unknown as TargetWriter,
      capabilities,
      plan,
      writeMode,
      limits: DEFAULT_DECODE_LIMITS,
      losses: { record: (kind) => void (losses[kind] = (losses[kind] ?? 0) + 1) },
      unrunnable: (command, why) => void unrunnable.push(`${command.arg(0).toText()}: ${why}`),
      readDocument: () => Promise.resolve(undefined),
      countKey: ignore,
      onDragonflyVersion: ignore,
      snapshotOnly: false,
      clock: Date.now,
      mapper: undefined,
      gate: undefined,
      memberLimit: 1000,
      expiry: { hold: "snapshot", withinHours: 24 },
      sourceVersion: () => undefined,
      events: {
        cut: ignore,
        snapshotEnded: ignore,
        flushReached: ignore,
        ping: ignore,
        encoded: ignore,
        resumed: ignore,
        failed: (error) => {
          throw error;
        },
      },
    },
    true,
  );
  const decoder = new FlowDecoder<StreamedValue>({
    flow: 0,
    start: FULL_START,
    handler: sink,
    limits: DEFAULT_DECODE_LIMITS,
    bodyLimitBytes: bodyLimitBytesFor(writeMode, restoreLimitBytes, capabilities),
  });
  for (const piece of cut(bytes, pieces)) {
    decoder.push(piece);
    // What was given belongs to its owner again.
    piece.fill(0xdd);
    while (decoder.decode() === "full");
    commands.push(...takeCommands(encoder));
  }
  if (decoder.pendingBytes !== 0) throw new Error(`${decoder.pendingBytes} bytes are left over`);
  sink.deadlines.beginStable();
  sink.deadlines.release(encoder, "all");
  commands.push(...takeCommands(encoder));
  return { commands, losses, unrunnable };
}

function ignore(): void {}
