/** What a test can ask of its source, whichever kind it is. */
import type { RespClient } from "./resp-client.ts";

export type SourceKind = "simulator" | "DRAGONFLY_BIN" | "DRAGONFLY_URL";

/** 0 none, 1 LZF strings, 2 ZSTD, 3 LZ4. */
export type CompressionMode = 0 | 1 | 2 | 3;

export type SourceFlags = {
  readonly compressionMode?: CompressionMode;
  readonly taggedChunks?: boolean;
  readonly maxChunkBytes?: number;
  /** Journal entries that each shard keeps for a partial sync. */
  readonly backlogEntries?: number;
  readonly requirepass?: string;
  /** Files in PEM: its certificate, and who signed it. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  /** The release that the simulator behaves as, e.g. "df-v1.27.4". */
  readonly version?: string;
};

export type TestSourceOptions = {
  /** undefined: as many as it has. */
  readonly shards?: number | undefined;
  readonly flags?: SourceFlags;
};

export type SourceEndpoint = {
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** PEM; set when it speaks TLS. */
  readonly tlsCa?: string | undefined;
};

export type TestSource = AsyncDisposable & {
  readonly kind: SourceKind;
  readonly endpoint: SourceEndpoint;
  /** `host:port` */
  readonly address: string;
  /** Of its process, when it is ours. */
  readonly pid: number | undefined;
  /** How many shards it has, and so flows. */
  readonly shards: number;
  /** A connection, authenticated; the caller closes it. */
  client(db?: number): Promise<RespClient>;
  /** Ends it and starts it again, empty, on the same port. */
  restart?(): Promise<void>;
  /** When its process has ended by itself. */
  readonly exited?: Promise<void>;
  stop(): Promise<void>;
};
