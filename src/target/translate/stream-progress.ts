/** How far a streamed stream has come: its live ids, its meta data, and the group and consumer that are being told about. */
import type { StreamMeta } from "../../rdb/rdb-handler.ts";
import { StreamIdIndex } from "./stream-id-index.ts";
import { StreamPendingList } from "./stream-pending-list.ts";
import { StreamTombstones } from "./stream-tombstones.ts";

export class StreamProgress {
  entries = 0;
  /** Of the first entry. */
  firstId: string | undefined;
  /** Fields and values of the largest entry. */
  mostFields = 0;
  readonly liveIds: StreamIdIndex;
  meta: StreamMeta | undefined;
  readonly tombstones = new StreamTombstones();
  group: StreamGroupProgress | undefined;
  /** A possible loss that cannot be made sure of has been reported. */
  doubtReported = false;

  constructor(idIndexBytes: number) {
    this.liveIds = new StreamIdIndex(idIndexBytes);
  }
}

export class StreamGroupProgress {
  readonly name: Buffer;
  readonly pending = new StreamPendingList();
  /** Whether pending entries of deleted messages are marked. */
  checked = false;
  consumer: Buffer | undefined;
  /** Delivery time and count of the buffered claims, which one XCLAIM has in common. */
  claimTimeMs = 0;
  claimCount = 0;

  constructor(name: Buffer) {
    this.name = name;
  }
}
