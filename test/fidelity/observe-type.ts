/** Takes one row of the types to a server, the way a run does it, and says what came of it. */
import { expect } from "vitest";
import { Df2RedisError } from "../../src/errors/df2redis-error.ts";
import type { TargetCapabilities } from "../../src/target/capabilities.ts";
import type { FeaturePlan } from "../../src/target/features.ts";
import { outcomeOf } from "../../src/target/losses.ts";
import { eof, object, rdb } from "../support/rdb-builder.ts";
import { body } from "../support/rdb-values.ts";
import type { RespClient } from "../support/resp-client.ts";
import { RespError } from "../support/resp-client.ts";
import { readKeys, type Value } from "../support/server-state.ts";
import { translateRdb } from "../support/snapshot-translation.ts";
import { factText, sampleState } from "./sample-state.ts";
import type { TypeRow } from "./type-rows.ts";

const KEY = Buffer.from("key");

export type Target = {
  readonly client: RespClient;
  readonly capabilities: TargetCapabilities;
  /** What a run does that was told nothing. */
  readonly plan: FeaturePlan;
};

/** The cell's text. Throws (an assertion) when what arrived is not what was sent. */
export async function observeType(row: TypeRow, { client, capabilities, plan }: Target): Promise<string> {
  const { type, bytes } =
    "string" in row ? { type: 0, bytes: row.string.wire } : { type: row.value.type, bytes: body(row.value) };
  // What stood there before is replaced, never merged.
  await client.call("HSET", KEY, "old", "value");
  let translated: ReturnType<typeof translateRdb>;
  try {
    translated = translateRdb(rdb([object(type, KEY, bytes), eof()], row.version), { capabilities, plan });
  } catch (thrown) {
    if (thrown instanceof Df2RedisError && thrown.code === "FEATURE_UNSUPPORTED") return "policy";
    throw thrown;
  }
  const { commands, kit } = translated;
  const replies = await client.pipeline(commands);
  expect(replies.filter((reply) => reply instanceof RespError).map(String)).toEqual([]);
  const [found] = await readKeys(client, 0, [KEY]);
  expect(sorted(found?.value)).toEqual(sorted(expected(row)));
  if (names(commands).includes("HPEXPIREAT")) await expectFieldDeadlines(client, row);
  const outcome = kit.losses.some(({ kind }) => outcomeOf(kind as never) === "converted") ? "converted" : "exact";
  expect(kit.losses.filter(({ kind }) => outcomeOf(kind as never) === "lost")).toEqual([]);
  return `${outcome} (${way(commands, bytes)})`;
}

/** A built zset may stand in another order than a server would write. */
function sorted(value: Value | undefined): Value | undefined {
  if (value?.type !== "zset") return value;
  return { ...value, members: value.members.toSorted(([a], [b]) => (a < b ? -1 : 1)) };
}

function expected(row: TypeRow): Value | undefined {
  return "string" in row ? { type: "string", text: row.string.text } : sampleState(row.value);
}

async function expectFieldDeadlines(client: RespClient, row: TypeRow): Promise<void> {
  const steps = "string" in row ? [] : row.value.parts.flatMap((part) => part.steps);
  for (const [, field, , deadline] of steps)
    expect(await client.call("HPEXPIRETIME", KEY, "FIELDS", 1, factText(field))).toEqual([deadline]);
}

function names(commands: readonly (readonly Buffer[])[]): string[] {
  return commands.map(([name]) => String(name));
}

function way(commands: readonly (readonly Buffer[])[], bytes: Buffer): string {
  const sent = names(commands);
  const restore = commands[sent.indexOf("RESTORE")];
  if (restore !== undefined) return restore[3]?.includes(bytes) === true ? "RESTORE" : "RESTORE, body rewritten";
  const writes = [...new Set(sent)].filter((name) => name !== "DEL");
  return writes.length === 0 ? "DEL: it has no elements" : writes.join(", ");
}
