/**
 * RENAME, COPY, MOVE, FLUSHALL, FLUSHDB. What crosses shards is journaled as a deletion on one and a RESTORE on the other; COPY is a RESTORE even within a
 * shard (recordings `types`, `types-4flows`).
 */
import { arg, bytesOf, integer, word } from "../arguments.ts";
import type { Call } from "../call.ts";
import { cloneValue } from "../clone-value.ts";
import { CommandFamily } from "../command.ts";
import { CommandError, DB_OUT_OF_RANGE, NO_SUCH_KEY, syntaxError } from "../command-error.ts";
import { DATABASES, type Shard } from "../shard.ts";
import type { KeyEntry } from "../values.ts";
import { ABSTTL, DEL, REPLACE, RESTORE, STICK } from "../words.ts";

export const MOVING_COMMANDS = new CommandFamily("keyspace")
  .write("RENAME", 3, (call, args) => rename(call, args, { onlyNew: false }), [1, 2, 1])
  .write("RENAMENX", 3, (call, args) => rename(call, args, { onlyNew: true }), [1, 2, 1])
  .write("COPY", -3, copy, [1, 2, 1])
  .write("MOVE", 3, move)
  .write("FLUSHALL", -1, (call, args) => flush(call, args, -1), [0, 0, 0])
  .write("FLUSHDB", -1, (call, args) => flush(call, args, call.db), [0, 0, 0]).commands;

function rename(call: Call, args: readonly Buffer[], { onlyNew }: { readonly onlyNew: boolean }): void {
  const [from, to] = [arg(args, 1), arg(args, 2)];
  const [fromShard, toShard] = [call.shard(from), call.shard(to)];
  const entry = call.find(fromShard, from);
  if (entry === undefined) throw new CommandError(NO_SUCH_KEY);
  const taken = onlyNew && call.find(toShard, to) !== undefined;
  if (!taken && !from.equals(to)) {
    call.keyspace.move({ shard: fromShard, db: call.db, entry }, { shard: toShard, db: call.db, key: to });
    if (fromShard === toShard) call.record(fromShard, args);
    else {
      call.recordPart(fromShard, [DEL, from]);
      recordRestore(call, { shard: toShard, key: to, entry });
    }
  }
  if (onlyNew) call.reply.integer(taken ? 0 : 1);
  else call.reply.ok();
}

function copy(call: Call, args: readonly Buffer[]): void {
  const [from, to] = [arg(args, 1), arg(args, 2)];
  const replace = args.slice(3).some((option) => {
    if (word(option) !== "REPLACE") throw syntaxError();
    return true;
  });
  if (from.equals(to)) throw new CommandError("ERR source and destination objects are the same");
  const entry = call.find(call.shard(from), from);
  const shard = call.shard(to);
  const done = entry !== undefined && (replace || call.find(shard, to) === undefined);
  if (done) {
    const { value, expireAtMs, sticky } = entry;
    call.keyspace.put(shard, call.db, { key: Buffer.from(to), value: cloneValue(value), expireAtMs, sticky });
    recordRestore(call, { shard, key: to, entry });
  }
  call.reply.integer(done ? 1 : 0);
}

function recordRestore(
  call: Call,
  { shard, key, entry }: { readonly shard: Shard; readonly key: Buffer; readonly entry: KeyEntry },
): void {
  const deadline = bytesOf(Math.max(0, entry.expireAtMs));
  const record = [RESTORE, key, deadline, call.keyspace.dump(entry.value), REPLACE, ABSTTL];
  call.recordPart(shard, entry.sticky ? [...record, STICK] : record);
}

function move(call: Call, args: readonly Buffer[]): void {
  const key = arg(args, 1);
  const db = integer(args[2]);
  if (db < 0 || db >= DATABASES) throw new CommandError(DB_OUT_OF_RANGE);
  if (db === call.db) throw new CommandError("ERR source and destination objects are the same");
  const shard = call.shard(key);
  const entry = call.find(shard, key);
  const done = entry !== undefined && call.keyspace.find(shard, db, key) === undefined;
  if (done) {
    call.keyspace.move({ shard, db: call.db, entry }, { shard, db, key });
    call.recordPart(shard, args);
  }
  call.reply.integer(done ? 1 : 0);
}

/** One transaction on every shard; each journals it as the client sent it. */
function flush(call: Call, args: readonly Buffer[], db: number): void {
  for (const option of args.slice(1)) if (!/^A?SYNC$/.test(word(option))) throw syntaxError();
  for (const shard of call.keyspace.shards) {
    call.keyspace.flush(shard, db);
    call.recordPart(shard, args);
  }
  call.reply.ok();
}
