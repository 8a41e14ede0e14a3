/** How far a streamed stream has come: its live ids, its meta data, and the group and consumer that are being told about. */
import { StreamIdIndex } from "./stream-id-index.ts";
import { StreamPendingList } from "./stream-pending-list.ts";

export class StreamProgress {
  entries = 0;
  readonly liveIds: StreamIdIndex;
  /** From the stream's meta data; "0-0" when nothing was deleted or the source does not say. */
  maxDeletedId = "0-0";
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
