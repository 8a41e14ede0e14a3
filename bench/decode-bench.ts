/** How fast a flow's bytes are decoded, without anything behind it: for each compression, collections taken whole or element by element. */
import { type Compression, COMPRESSIONS } from "./blob-compressor.ts";
import { CountingHandler } from "./counting-handler.ts";
import { medianCpuSeconds } from "./cpu-rate.ts";
import type { DatasetOptions } from "./dataset.ts";
import { decodeFlow, type FlowBytes, makeFlowBytes } from "./flow-bytes.ts";

const MEGABYTE = 1e6;

/** Rates in MB (10^6 bytes) per CPU-second. */
export type DecodeResult = {
  readonly compression: Compression;
  readonly contentMegabytes: number;
  readonly wireMegabytes: number;
  /** Of content, with collections handed on whole. */
  readonly wholeRate: number;
  /** The same, counted in bytes of the wire. */
  readonly wholeWireRate: number;
  /** Of content, element by element. */
  readonly elementsRate: number;
};

export type DecodeBenchOptions = { readonly keys: number; readonly rounds: number };

export function benchDecode(options: DecodeBenchOptions): DecodeResult[] {
  return COMPRESSIONS.map((compression) => benchCompression(compression, options));
}

/** Long enough for LZF to find something. */
const STRING_BYTES = 400;
/** Of ten keys six are strings, two hashes, two zsets. */
const MIX: DatasetOptions["kinds"] = [
  "string",
  "hash",
  "string",
  "zset",
  "string",
  "string",
  "hash",
  "string",
  "zset",
  "string",
];

function benchCompression(compression: Compression, { keys, rounds }: DecodeBenchOptions): DecodeResult {
  const flow = makeFlowBytes({ keys, kinds: MIX, stringBytes: STRING_BYTES }, compression);
  const wholeSeconds = medianCpuSeconds(rounds, () => decodeOnce(flow, keys, true));
  const elementsSeconds = medianCpuSeconds(rounds, () => decodeOnce(flow, keys, false));
  const contentMegabytes = flow.contentBytes / MEGABYTE;
  const wireMegabytes = flow.bytes.length / MEGABYTE;
  return {
    compression,
    contentMegabytes,
    wireMegabytes,
    wholeRate: contentMegabytes / wholeSeconds,
    wholeWireRate: wireMegabytes / wholeSeconds,
    elementsRate: contentMegabytes / elementsSeconds,
  };
}

function decodeOnce(flow: FlowBytes, keys: number, wantsBodies: boolean): void {
  const handler = new CountingHandler(wantsBodies);
  decodeFlow(flow, handler);
  if (handler.objects !== keys) throw new Error(`${handler.objects} objects were decoded instead of ${keys}`);
}
