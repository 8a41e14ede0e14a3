/** What `DFLY FLOW <master_id> <sync_id> <flow> [<lsn> | <last_master_id> <lsn0-lsn1-…>]` asks for. Pure. */
import { NOT_AN_INTEGER, unsigned } from "./words.ts";

export type ParsedFlowRequest = {
  readonly masterId: string;
  readonly syncId: string;
  readonly flow: number | undefined;
  readonly lsn: number | undefined;
  /** Of the form for a master of the same lineage. */
  readonly lastMaster: { readonly id: string; readonly lsns: readonly number[] } | undefined;
};

/** An error text when a number in it is none. `args` begin behind the subcommand. */
export function parseFlowRequest(args: readonly Buffer[]): ParsedFlowRequest | string {
  const [masterId, syncId, flow, fourth, fifth] = args;
  const parsed = {
    masterId: masterId?.toString("latin1") ?? "",
    syncId: syncId?.toString("latin1") ?? "",
    flow: unsigned(flow),
    lsn: undefined,
    lastMaster: undefined,
  };
  if (fourth === undefined) return parsed;
  if (fifth === undefined) {
    const lsn = unsigned(fourth);
    return lsn === undefined ? NOT_AN_INTEGER : { ...parsed, lsn };
  }
  const texts = fifth.toString("latin1").split("-");
  const lsns = texts.map((text) => unsigned(Buffer.from(text))).filter((lsn) => lsn !== undefined);
  if (lsns.length !== texts.length) return NOT_AN_INTEGER;
  return { ...parsed, lastMaster: { id: fourth.toString("latin1"), lsns } };
}
