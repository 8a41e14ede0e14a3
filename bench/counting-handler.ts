/** Takes what a flow's decoder tells and keeps nothing but a count, so that decoding alone is measured. */
import type { Slice } from "../src/bytes/slice.ts";
import type { ObjectHeader } from "../src/rdb/rdb-handler.ts";
import type { FlowHandler } from "../src/source/flow-decoder.ts";

export class CountingHandler implements FlowHandler<undefined> {
  readonly #wantsBodies: boolean;
  objects = 0;
  elements = 0;

  /** @param wantsBodies take collections whole, as for RESTORE, or element by element */
  constructor(wantsBodies: boolean) {
    this.#wantsBodies = wantsBodies;
  }

  isFull(): boolean {
    return false;
  }

  wantsBody(): boolean {
    return this.#wantsBodies;
  }

  string(_object: ObjectHeader, _value: Slice): void {
    this.objects++;
  }

  body(_object: ObjectHeader, _body: Slice): void {
    this.objects++;
  }

  begin(): undefined {
    this.objects++;
  }

  listItem(): void {
    this.elements++;
  }

  setMember(): void {
    this.elements++;
  }

  zsetMember(): void {
    this.elements++;
  }

  hashField(): void {
    this.elements++;
  }

  aux(): void {}
  hashFieldTtl(): void {}
  setMemberTtl(): void {}
  streamEntry(): void {}
  streamMeta(): void {}
  streamGroup(): void {}
  streamPending(): void {}
  streamConsumer(): void {}
  streamConsumerPending(): void {}
  json(): void {}
  sketchParameters(): void {}
  sketchBytes(): void {}
  sketchItem(): void {}
  pieceEnd(): void {}
  end(): void {}
  command(): void {}
  ping(): void {}
  fullSyncEnd(): void {}
  snapshotEnd(): void {}
}
