/** Builds journal entries for tests from docs/protocol.md §5. */
import { bytes, len, str } from "./rdb-builder.ts";

export function select(db: number): Buffer {
  return Buffer.concat([bytes(6), len(db)]);
}

export type CommandOptions = {
  /** 9 EXPIRED, 10 COMMAND (default), 11 MULTI_COMMAND */
  readonly op?: 9 | 10 | 11;
  readonly txid?: number | bigint;
  /** Said instead of the truth. */
  readonly argc?: number;
  readonly total?: number | bigint;
};

export function command(args: readonly (string | Buffer)[], options: CommandOptions = {}): Buffer {
  const words = args.map((arg) => Buffer.from(arg));
  const total = options.total ?? words.reduce((sum, word) => sum + word.length, 0);
  const head = [bytes(options.op ?? 10), len(options.txid ?? 0), len(1), len(options.argc ?? words.length), len(total)];
  return Buffer.concat([...head, ...words.map(str)]);
}

export function exec(txid = 0): Buffer {
  return Buffer.concat([bytes(12), len(txid), len(1)]);
}

export function ping(): Buffer {
  return bytes(13);
}

export function fin(): Buffer {
  return bytes(14);
}

/** @param lsn of the entry before it */
export function lsnMark(lsn: number): Buffer {
  return Buffer.concat([bytes(15), len(lsn)]);
}
