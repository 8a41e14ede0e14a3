/** What tests of the live simulator's replication side do again and again. */
import { expect } from "vitest";
import type { KeyEntry } from "../../src/simulator/live/values.ts";
import type { BareMaster } from "./bare-master.ts";
import { addressOf } from "./keyspace-collector.ts";
import type { RawConnection } from "./raw-connection.ts";
import { comparable } from "./replica-model.ts";
import type { TestReplica } from "./test-replica.ts";
import { SeededRandom, TestWriter } from "./test-writer.ts";

export function writersOf(master: BareMaster, seed = 1): TestWriter[] {
  const random = new SeededRandom(seed);
  return master.shards.map((shard) => new TestWriter(shard, random, 100));
}

export function writeAll(writers: readonly TestWriter[], count: number): void {
  for (let i = 0; i < count; i++) for (const writer of writers) writer.write();
}

function held(master: BareMaster, shard: number): [string, KeyEntry][] {
  const databases = master.shards[shard]?.databases ?? [];
  return databases.flatMap((database, db) =>
    [...database.values()].map((entry): [string, KeyEntry] => [addressOf(db, entry.key), entry]),
  );
}

export function expectEqual(master: BareMaster, replica: TestReplica): void {
  for (const [i, { model }] of replica.flows.entries())
    expect(comparable(model.keys)).toEqual(comparable(held(master, i)));
}

export async function info(connection: RawConnection): Promise<string> {
  const text = await connection.ask("INFO REPLICATION", 5);
  await connection.until(() => connection.bytes().toString().endsWith("\r\n\r\n"));
  return text;
}
