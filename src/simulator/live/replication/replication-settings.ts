/** The flags of a Dragonfly that bear on replication, read when they are needed, since CONFIG SET may change some. */
import type { MasterCore } from "../replication-handler.ts";
import type { CompressionMode } from "./blob-compressor.ts";
import { rdbProfile } from "./rdb-profile.ts";
import type { SnapshotFormat } from "./snapshot-serializer.ts";

const DEFAULTS = {
  compression_mode: "3",
  serialization_tagged_chunks: "true",
  serialization_max_chunk_size: "65536",
  shard_repl_backlog_len: "8192",
  replication_timeout: "30000",
  replication_stream_output_limit: "1048576",
  info_replication_valkey_compatible: "true",
} as const;

export type ReplicationFlag = keyof typeof DEFAULTS;

/** Values that win over the master's configuration, for flags that CONFIG GET does not show. */
export type ReplicationFlags = { readonly [name in ReplicationFlag]?: string };

export class ReplicationSettings {
  readonly #core: MasterCore;
  readonly #flags: ReplicationFlags;

  constructor(core: MasterCore, flags: ReplicationFlags = {}) {
    this.#core = core;
    this.#flags = flags;
  }

  get format(): SnapshotFormat {
    const mode = this.#number("compression_mode");
    return {
      profile: rdbProfile(this.#core.dragonflyVersion),
      compression: isMode(mode) ? mode : 3,
      tagged: this.#text("serialization_tagged_chunks") === "true",
      maxChunkBytes: this.#number("serialization_max_chunk_size"),
    };
  }

  get backlogEntries(): number {
    return this.#number("shard_repl_backlog_len");
  }

  get timeoutMs(): number {
    return this.#number("replication_timeout");
  }

  get outputLimitBytes(): number {
    return this.#number("replication_stream_output_limit");
  }

  /** How INFO and ROLE word a replica in the stable phase. */
  get stableState(): string {
    return this.#text("info_replication_valkey_compatible") === "true" ? "online" : "stable_sync";
  }

  #text(name: ReplicationFlag): string {
    return this.#flags[name] ?? this.#core.config(name) ?? DEFAULTS[name];
  }

  #number(name: ReplicationFlag): number {
    const value = Number(this.#text(name));
    return Number.isSafeInteger(value) && value >= 0 ? value : Number(DEFAULTS[name]);
  }
}

function isMode(mode: number): mode is CompressionMode {
  return mode === 0 || mode === 1 || mode === 2 || mode === 3;
}
