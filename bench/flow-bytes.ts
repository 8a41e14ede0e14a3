/** A generated flow in memory, cut as a socket would deliver it, with what is needed to run it through a `FlowDecoder` again and again. */
import { DEFAULT_DECODE_LIMITS } from "../src/bytes/decode-limits.ts";
import { FlowDecoder, type FlowHandler } from "../src/source/flow-decoder.ts";
import type { Compression } from "./blob-compressor.ts";
import { type DatasetOptions, generateObjects } from "./dataset.ts";
import { flowTail, GeneratedFlow } from "./generated-flow.ts";

const READ_BYTES = 256 * 1024;
const BODY_LIMIT_BYTES = 1024 * 1024;
const EOF_TOKEN = "e".repeat(40);

export type FlowBytes = {
  readonly bytes: Buffer;
  /** What the bytes are once decompressed. */
  readonly contentBytes: number;
};

export function makeFlowBytes(dataset: DatasetOptions, compression: Compression): FlowBytes {
  const parts: Buffer[] = [];
  const flow = new GeneratedFlow({ compression, sink: (bytes) => parts.push(Buffer.from(bytes)) });
  for (const object of generateObjects(dataset)) flow.add(object);
  flow.end();
  parts.push(flowTail(0, EOF_TOKEN));
  return { bytes: Buffer.concat(parts), contentBytes: flow.contentBytes };
}

/** Decodes the whole flow. `onFull` makes room when the handler wants no more. */
export function decodeFlow<T>({ bytes }: FlowBytes, handler: FlowHandler<T>, onFull: () => void = () => {}): void {
  const decoder = new FlowDecoder({
    flow: 0,
    start: { kind: "full", eofToken: EOF_TOKEN },
    handler,
    limits: DEFAULT_DECODE_LIMITS,
    bodyLimitBytes: BODY_LIMIT_BYTES,
  });
  pushAll(decoder, bytes, onFull);
  if (decoder.phase !== "journal") throw new Error("the generated flow did not decode to its end");
}

export function pushAll<T>(decoder: FlowDecoder<T>, bytes: Buffer, onFull: () => void): void {
  for (let at = 0; at < bytes.length; at += READ_BYTES) {
    decoder.push(bytes.subarray(at, at + READ_BYTES));
    while (decoder.decode() === "full") onFull();
  }
}
