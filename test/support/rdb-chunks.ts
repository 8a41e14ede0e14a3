/** Cuts built values into the pieces in which a master sends large ones: tagged chunks, with what a receiver must be told of each. */
import { mergeSketchBytes, type RecordedEvent } from "./event-recorder.ts";
import { object, taggedChunk } from "./rdb-builder.ts";
import type { BuiltValue, Part, Step } from "./rdb-values.ts";

export type Piece = {
  /** Content of the chunk. */
  readonly content: Buffer;
  readonly events: readonly RecordedEvent[];
  /** Whether the content starts with raw bytes, which may look like anything. */
  readonly startsRaw: boolean;
};

export type CutOptions = {
  readonly key: string;
  /** How many parts each piece holds, in a row; the first piece has the value's head besides. What is left over comes last. */
  readonly partCounts: readonly number[];
  /** Opcodes in front of the object. */
  readonly lead?: Buffer;
  /** What `begin` says of them. */
  readonly attributes?: Readonly<Record<string, number | boolean>>;
};

export function cutValue(value: BuiltValue, options: CutOptions): Piece[] {
  const { key, partCounts } = options;
  const groups = groupParts(value.parts, partCounts);
  return groups.map((parts, i) => {
    const bytes = Buffer.concat(parts.map((part) => part.bytes));
    const isFirst = i === 0;
    const steps = [...(isFirst ? (value.lead ?? []) : []), ...parts.flatMap((part) => part.steps)];
    const events: RecordedEvent[] = steps.map(([name, ...facts]) => [name, key, ...facts]);
    const begin: RecordedEvent = ["begin", key, { type: value.type, ...options.attributes }, value.kind, value.count];
    const last: RecordedEvent = [i === groups.length - 1 ? "end" : "pieceEnd", key];
    const content = isFirst
      ? Buffer.concat([options.lead ?? Buffer.alloc(0), object(value.type, key, Buffer.concat([value.head, bytes]))])
      : bytes;
    return {
      content,
      events: [...(isFirst ? [begin] : []), ...mergeSketchBytes(events), last],
      startsRaw: !isFirst && startsRaw(parts[0]),
    };
  });
}

/** The first group may be empty, the others have a part each at least. */
function groupParts(parts: readonly Part[], counts: readonly number[]): Part[][] {
  const groups: Part[][] = [];
  let at = 0;
  for (const count of counts) {
    if (groups.length > 0 && (at >= parts.length || count === 0)) continue;
    groups.push(parts.slice(at, at + count));
    at += count;
  }
  if (groups.length === 0 || at < parts.length) groups.push(parts.slice(at));
  return groups;
}

const RAW_STEPS: ReadonlySet<string> = new Set(["streamPending", "streamConsumerPending"]);

function startsRaw(part: Part | undefined): boolean {
  const step: Step | undefined = part?.steps[0];
  return step !== undefined && (RAW_STEPS.has(step[0]) || (step[0] === "sketchBytes" && part?.bytes.length === 8));
}

export function chunks(id: number, pieces: readonly Piece[]): Buffer[] {
  return pieces.map((piece) => taggedChunk(id, piece.content));
}

export function pieceEvents(pieces: readonly Piece[]): RecordedEvent[] {
  return pieces.flatMap((piece) => piece.events);
}

/** What was told of one value, as if it had come in one piece. */
export function eventsOf(events: readonly RecordedEvent[], key: string): RecordedEvent[] {
  return mergeSketchBytes(events.filter((event) => event[1] === key && event[0] !== "pieceEnd"));
}
