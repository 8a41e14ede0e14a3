/**
 * A translator that can leave single values out: what is told about a value whose `skipped` is set is not written, and its key is not touched.
 * The receiver of an object decides in `begin`; strings and bodies it just does not pass on.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { StreamMeta } from "../../rdb/rdb-handler.ts";
import { SnapshotTranslator } from "./snapshot-translator.ts";
import type { StreamedValue } from "./streamed-value.ts";

export class SkippableTranslator extends SnapshotTranslator {
  override listItem(value: StreamedValue, item: Slice): void {
    if (!value.skipped) super.listItem(value, item);
  }

  override setMember(value: StreamedValue, member: Slice): void {
    if (!value.skipped) super.setMember(value, member);
  }

  override zsetMember(value: StreamedValue, member: Slice, score: Slice): void {
    if (!value.skipped) super.zsetMember(value, member, score);
  }

  override hashField(value: StreamedValue, field: Slice, content: Slice): void {
    if (!value.skipped) super.hashField(value, field, content);
  }

  override hashFieldTtl(value: StreamedValue, field: Slice, content: Slice, expireAtMs: number): void {
    if (!value.skipped) super.hashFieldTtl(value, field, content, expireAtMs);
  }

  override setMemberTtl(value: StreamedValue, member: Slice, expireAtMs: number): void {
    if (!value.skipped) super.setMemberTtl(value, member, expireAtMs);
  }

  override streamEntry(value: StreamedValue, id: string, fields: readonly Slice[], count: number): void {
    if (!value.skipped) super.streamEntry(value, id, fields, count);
  }

  override streamMeta(value: StreamedValue, meta: StreamMeta): void {
    if (!value.skipped) super.streamMeta(value, meta);
  }

  override streamGroup(value: StreamedValue, name: Slice, lastId: string, entriesRead: string | undefined): void {
    if (!value.skipped) super.streamGroup(value, name, lastId, entriesRead);
  }

  override streamPending(value: StreamedValue, id: string, deliveryTimeMs: number, deliveryCount: number): void {
    if (!value.skipped) super.streamPending(value, id, deliveryTimeMs, deliveryCount);
  }

  override streamConsumer(value: StreamedValue, name: Slice, seenTimeMs: number, activeTimeMs: number): void {
    if (!value.skipped) super.streamConsumer(value, name, seenTimeMs, activeTimeMs);
  }

  override streamConsumerPending(value: StreamedValue, id: string): void {
    if (!value.skipped) super.streamConsumerPending(value, id);
  }

  override json(value: StreamedValue, text: Slice): void {
    if (!value.skipped) super.json(value, text);
  }

  override pieceEnd(value: StreamedValue): void {
    if (!value.skipped) super.pieceEnd(value);
  }

  override end(value: StreamedValue): void {
    if (!value.skipped) super.end(value);
  }
}
