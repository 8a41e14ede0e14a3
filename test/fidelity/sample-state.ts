/** What a server must show of a built value: from the facts that the value was built with, not from a decoder. */
import type { Fact } from "../support/event-recorder.ts";
import type { BuiltValue, Step } from "../support/rdb-values.ts";
import { parseScore, sortGroups, type StreamEntry, type StreamGroup, type Value } from "../support/server-state.ts";

/** undefined for a value without elements: it does not exist on a server, unless it is a stream. */
export function sampleState(value: BuiltValue): Value | undefined {
  const steps = [...(value.lead ?? []), ...value.parts.flatMap((part) => part.steps)];
  if (value.kind === "stream") return streamState(steps);
  if (steps.length === 0) return undefined;
  const [name] = steps[0] ?? [];
  switch (name) {
    case "listItem":
      return { type: "list", items: steps.map(([, item]) => factText(item)) };
    case "setMember":
    case "setMemberTtl":
      return { type: "set", members: new Set(steps.map(([, member]) => factText(member))) };
    case "hashField":
    case "hashFieldTtl":
      return { type: "hash", fields: new Map(steps.map(([, field, content]) => [factText(field), factText(content)])) };
    case "zsetMember":
      return {
        type: "zset",
        members: steps.map(([, member, score]) => [factText(member), parseScore(factText(score))]),
      };
    case "json":
      return { type: "string", text: factText(steps[0]?.[1]) };
    default:
      return { type: "other", name: value.kind };
  }
}

function streamState(steps: readonly Step[]): Value {
  const entries: StreamEntry[] = [];
  const groups: StreamGroup[] = [];
  let lastId = "0-0";
  let consumer = "";
  for (const [name, first, second, third] of steps) {
    const group = groups.at(-1);
    if (name === "streamEntry") entries.push({ id: factText(first), fields: second as readonly string[] });
    if (name === "streamMeta") lastId = (first as { readonly lastId: string }).lastId;
    if (name === "streamGroup") groups.push({ name: factText(first), lastId: factText(second), pending: [] });
    if (name === "streamPending") addPending(group, `${factText(first)} ? ${factText(third)}`);
    if (name === "streamConsumer") consumer = factText(first);
    if (name === "streamConsumerPending") own(group, factText(first), consumer);
  }
  return { type: "stream", entries, lastId, groups: sortGroups(groups) };
}

function addPending(group: StreamGroup | undefined, line: string): void {
  (group?.pending as string[] | undefined)?.push(line);
}

function own(group: StreamGroup | undefined, id: string, consumer: string): void {
  const pending = group?.pending as string[] | undefined;
  const i = pending?.findIndex((line) => line.startsWith(`${id} `)) ?? -1;
  if (pending !== undefined && i >= 0) pending[i] = (pending[i] ?? "").replace(" ? ", ` ${consumer} `);
}

export function factText(fact: Fact): string {
  if (typeof fact !== "string" && typeof fact !== "number") throw new Error("a fact is no text");
  return String(fact);
}
