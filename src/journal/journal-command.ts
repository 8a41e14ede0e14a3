/**
 * One COMMAND entry of the journal, as the journal decoder hands it on: one object and its slices are reused for every entry, so a receiver
 * reads or copies before it returns. `args[0]` is the name as the master wrote it; only `argc` of `args` are of this entry.
 */
import { Slice } from "../bytes/slice.ts";

export class JournalCommand {
  db = 0;
  /** 0 for a single-key command on its own; else shared by all that one transaction wrote. Exact below 2^53. */
  txid = 0;
  /** LSN of this entry; -1 inside a snapshot's journal blob, where the LSN is not known. */
  lsn = -1;
  argc = 0;
  readonly args: Slice[] = [];

  /** Argument `i` (0 is the name); an empty slice when there is none. */
  arg(i: number): Slice {
    const slice = this.args[i];
    return slice !== undefined && i < this.argc ? slice : NONE;
  }

  /** With bytes of its own, so that it can be kept. */
  copy(): JournalCommand {
    const copy = new JournalCommand();
    copy.db = this.db;
    copy.txid = this.txid;
    copy.lsn = this.lsn;
    copy.argc = this.argc;
    for (let i = 0; i < this.argc; i++) copy.args.push(Slice.from(this.arg(i).toBuffer()));
    return copy;
  }
}

const NONE = new Slice();
