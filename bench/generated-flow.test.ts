/** The generator must write what the decoder reads: the same objects and elements, whatever the compression. */
import { describe, expect, test } from "vitest";
import { DEFAULT_DECODE_LIMITS } from "../src/bytes/decode-limits.ts";
import type { Slice } from "../src/bytes/slice.ts";
import type { ObjectHeader } from "../src/rdb/rdb-handler.ts";
import { FlowDecoder } from "../src/source/flow-decoder.ts";
import { type Compression, COMPRESSIONS } from "./blob-compressor.ts";
import { CountingHandler } from "./counting-handler.ts";
import { type DatasetOptions, generateObjects, partText } from "./dataset.ts";
import { decodeFlow, makeFlowBytes } from "./flow-bytes.ts";
import { GeneratedFlow } from "./generated-flow.ts";

/** Every object as text: key, then its elements. */
class TextHandler extends CountingHandler {
  readonly #byKey = new Map<string, string[]>();
  #key = "";

  constructor() {
    super(false);
  }

  get objectTexts(): string[] {
    return [...this.#byKey].map(([key, parts]) => `${key}: ${parts.join(" ")}`);
  }

  override string(object: ObjectHeader, value: Slice): void {
    this.#open(object);
    this.#add(value);
  }

  override begin(object?: ObjectHeader): undefined {
    if (object !== undefined) this.#open(object);
  }

  override hashField(_value?: undefined, field?: Slice, content?: Slice): void {
    this.#add(field);
    this.#add(content);
  }

  override zsetMember(_value?: undefined, member?: Slice, score?: Slice): void {
    this.#add(member);
    this.#add(score);
  }

  #open(object: ObjectHeader): void {
    this.#key = object.key.toText();
    this.#byKey.set(this.#key, []);
  }

  #add(part: Slice | undefined): void {
    this.#byKey.get(this.#key)?.push(part?.toText() ?? "");
  }
}

const DATASET: DatasetOptions = { keys: 600, kinds: ["string", "hash", "zset"], stringBytes: 300 };

function expectedTexts(dataset: DatasetOptions): string[] {
  return [...generateObjects(dataset)].map(
    ({ key, parts }) => `${key.toString()}: ${parts.map((part) => partText(part).toString()).join(" ")}`,
  );
}

describe("GeneratedFlow", () => {
  test.each(COMPRESSIONS)("%s: decodes to the objects that went in", (compression) => {
    const handler = new TextHandler();
    decodeFlow(makeFlowBytes(DATASET, compression), handler);
    expect(handler.objectTexts).toEqual(expectedTexts(DATASET));
  });

  test.each(COMPRESSIONS.filter((compression) => compression !== "none"))(
    "%s: makes the flow smaller, and knows by how much",
    (compression) => {
      const plain = makeFlowBytes(DATASET, "none");
      const flow = makeFlowBytes(DATASET, compression);
      expect(flow.bytes.length).toBeLessThan(0.9 * plain.bytes.length);
      expect(Math.abs(flow.contentBytes - plain.contentBytes)).toBeLessThan(0.02 * plain.contentBytes);
    },
  );

  test("the same seed gives the same bytes, another one others", () => {
    const bytes = (seed: number): Buffer => makeFlowBytes({ ...DATASET, seed }, "lz4").bytes;
    expect(bytes(7).equals(bytes(7))).toBe(true);
    expect(bytes(7).equals(bytes(8))).toBe(false);
  });

  test.each(["none", "lz4"] as const)("%s: a huge hash comes in tagged chunks", (compression: Compression) => {
    const pairs = Array.from(
      { length: 5000 },
      (_, i) => [Buffer.from(`field${i}`), Buffer.from("v".repeat(100))] as const,
    );
    const sent: Buffer[] = [];
    const flow = new GeneratedFlow({ compression, sink: (bytes) => sent.push(Buffer.from(bytes)) });
    flow.addHugeHash(Buffer.from("huge"), pairs.length, pairs);
    flow.end();
    const handler = new TextHandler();
    const options = { flow: 0, handler, limits: DEFAULT_DECODE_LIMITS, bodyLimitBytes: 1024 * 1024 };
    const decoder = new FlowDecoder({ ...options, start: { kind: "full", eofToken: "e".repeat(40) } });
    decoder.push(Buffer.concat(sent));
    expect(decoder.decode()).toBe("needsMore");
    expect(decoder.pendingBytes).toBe(0);
    expect(handler.objectTexts).toEqual([`huge: ${pairs.map((pair) => pair.join(" ")).join(" ")}`]);
  });
});
