/** What the opcodes before an object said about it. One instance is reused for all objects of a decoder. */
import { Slice } from "../bytes/slice.ts";
import type { ObjectHeader } from "./rdb-handler.ts";

export class ObjectHead implements ObjectHeader {
  type = 0;
  db = 0;
  readonly key = new Slice();
  expireAtMs = -1;
  sticky = false;
  mcFlags = -1;

  /** The database stays, the rest was for one key. */
  reset(): void {
    this.expireAtMs = -1;
    this.sticky = false;
    this.mcFlags = -1;
  }
}
