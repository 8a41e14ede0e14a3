/**
 * A recorded replication session as it lies on disk (test/fixtures/recordings/README.md), loaded whole: what the master sent on each connection,
 * which bytes wait for which request, and what the real replica acknowledged. Buffers are shared by all who play the recording: never write to them.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { indexJournal, type JournalIndex } from "./journal-index.ts";
import { type Request, RequestParser } from "./request-parser.ts";
import { splitReplies } from "./split-replies.ts";

type ManifestConnection = {
  readonly kind: "control" | "flow";
  readonly flow?: number;
  readonly releaseOn?: { readonly flow: number; readonly sync: number; readonly startStable: number };
  readonly master: string;
  readonly replica: string;
};

export type Manifest = {
  readonly name: string;
  /** e.g. "df-v1.40.1" */
  readonly dragonfly: string;
  readonly flags: readonly string[];
  readonly threads: number;
  readonly keys: number;
  readonly expectedIs: string;
  readonly connections: readonly ManifestConnection[];
  readonly second?: { readonly connections: readonly ManifestConnection[] };
};

export type RecordedFlow = {
  readonly flow: number;
  /** Everything the master sent on this connection. */
  readonly master: Buffer;
  /** Bytes before this offset answer `DFLY FLOW`. */
  readonly replyEnd: number;
  /** Bytes before this offset come before `DFLY STARTSTABLE`. Equal to `replyEnd` in a partial sync. */
  readonly syncEnd: number;
  /** Offset just past FULLSYNC_END; undefined in a partial sync. */
  readonly fullSyncEnd: number | undefined;
  /** Where the stable journal starts: just past the EOF token. */
  readonly stableStart: number;
  readonly journal: JournalIndex;
  /** The LSNs that the real replica acknowledged, in order. */
  readonly acks: readonly number[];
  /** The last of them. */
  readonly finalLsn: number;
};

export type RecordedExchange = { readonly request: Request; readonly reply: Buffer };

/** One handshake with its flows. */
export type RecordedPart = {
  readonly masterId: string;
  readonly syncId: string;
  readonly partial: boolean;
  readonly control: readonly RecordedExchange[];
  readonly flows: readonly RecordedFlow[];
};

export type Recording = {
  readonly directory: string;
  /** e.g. "dragonfly-1.40.1/types" */
  readonly name: string;
  readonly manifest: Manifest;
  readonly first: RecordedPart;
  /** The connections after the link was cut and came back. */
  readonly second: RecordedPart | undefined;
};

export function loadRecording(directory: string): Recording {
  const manifest = readManifest(directory);
  return {
    directory,
    name: `${path.basename(path.dirname(directory))}/${path.basename(directory)}`,
    manifest,
    first: loadPart(directory, manifest.connections),
    second: manifest.second && loadPart(path.join(directory, "second"), manifest.second.connections),
  };
}

function readManifest(directory: string): Manifest {
  const file = path.join(directory, "manifest.json");
  if (!existsSync(file))
    throw new Df2RedisError("CONFIG_UNREADABLE", `There is no recording in ${directory}: manifest.json is missing.`);
  return JSON.parse(readFileSync(file, "utf8")) as Manifest;
}

function loadPart(directory: string, connections: readonly ManifestConnection[]): RecordedPart {
  const control = connections.find((connection) => connection.kind === "control");
  if (control === undefined) throw unsound(directory, "no control connection");
  const exchanges = loadExchanges(directory, control);
  const flows = connections
    .filter((connection) => connection.kind === "flow")
    .map((connection) => loadFlow(directory, connection))
    .toSorted((a, b) => a.flow - b.flow);
  const greeting = exchanges.find(({ request }) => request.join(" ").toLowerCase() === "replconf capa dragonfly");
  const [, masterId, syncId] = greeting?.reply.toString("latin1").split("\r\n") ?? [];
  if (masterId === undefined || syncId === undefined) throw unsound(directory, "no reply to REPLCONF capa dragonfly");
  return {
    masterId: masterId.slice(1),
    syncId: syncId.slice(1),
    partial: flows[0]?.fullSyncEnd === undefined,
    control: exchanges,
    flows,
  };
}

function loadExchanges(directory: string, control: ManifestConnection): RecordedExchange[] {
  const requests = new RequestParser().push(readGzip(directory, control.replica));
  const replies = splitReplies(readGzip(directory, control.master));
  return replies.map((reply, i) => ({ request: requests[i] ?? [], reply }));
}

function loadFlow(directory: string, connection: ManifestConnection): RecordedFlow {
  const { flow, releaseOn } = connection;
  if (flow === undefined || releaseOn === undefined) throw unsound(directory, "a flow without a number or gates");
  const master = readGzip(directory, connection.master);
  const requests = new RequestParser().push(readGzip(directory, connection.replica));
  const acks = requests.filter((request) => request[1] === "ACK").map((request) => Number(request[2]));
  // JOURNAL_OFFSET may stand inside a compressed blob; the replica's first acknowledgement says the same number.
  const [startLsn] = acks;
  if (startLsn === undefined) throw unsound(directory, `no acknowledgement on flow ${flow}`);
  const reply = master.toString("latin1", 0, releaseOn.flow).split("\r\n");
  const offsets =
    reply[1] === "+PARTIAL"
      ? { syncEnd: releaseOn.flow, fullSyncEnd: undefined, stableStart: releaseOn.flow }
      : findCut(directory, {
          master,
          replyEnd: releaseOn.flow,
          syncEnd: releaseOn.sync,
          eofToken: reply[2]?.slice(1) ?? "",
        });
  const journal = indexJournal(master, { start: offsets.stableStart, end: master.length, startLsn });
  return { flow, master, replyEnd: releaseOn.flow, ...offsets, journal, acks, finalLsn: acks.at(-1) ?? startLsn };
}

const FULLSYNC_END = Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Finds the places that matter in a full sync's bytes by their marks, without decoding the objects in between. */
function findCut(
  directory: string,
  stream: { readonly master: Buffer; readonly replyEnd: number; readonly syncEnd: number; readonly eofToken: string },
): { syncEnd: number; fullSyncEnd: number; stableStart: number } {
  const { master, replyEnd, syncEnd, eofToken } = stream;
  const end = master.lastIndexOf(FULLSYNC_END, syncEnd - FULLSYNC_END.length);
  if (end < replyEnd) throw unsound(directory, "no FULLSYNC_END before the gate of DFLY STARTSTABLE");
  const token = master.indexOf(eofToken, syncEnd, "latin1");
  if (token < 0) throw unsound(directory, "no EOF token after the gate of DFLY STARTSTABLE");
  return { syncEnd, fullSyncEnd: end + FULLSYNC_END.length, stableStart: token + eofToken.length };
}

function readGzip(directory: string, file: string): Buffer {
  return gunzipSync(readFileSync(path.join(directory, file)));
}

function unsound(directory: string, what: string): Df2RedisError {
  return new Df2RedisError("STREAM_CORRUPT", `The recording in ${directory} is not sound: ${what}.`);
}
