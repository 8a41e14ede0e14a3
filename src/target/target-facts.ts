/** What a look at the target found out, before anything is judged. Whatever the server hides is undefined. */
import type { ServerIdentity } from "../net/server-identity.ts";
import type { OptionalCommand } from "./capabilities.ts";

/**
 * - `forbidden`: the server has it, our user may not run it;
 * - `absent`: the server does not know it, or hides it from everybody;
 * - `unknown`: it answers nothing that tells.
 */
export type CommandRight = "allowed" | "forbidden" | "absent" | "unknown";

export type TargetModule = { readonly name: string; readonly version: string };

export type TargetMemory = {
  readonly usedBytes: number | undefined;
  /** 0: no limit of its own. */
  readonly limitBytes: number | undefined;
  /** Of the machine. */
  readonly systemBytes: number | undefined;
  readonly policy: string | undefined;
};

export type TargetPersistence = {
  readonly aof: boolean | undefined;
  /** Points at which it saves a snapshot; false: none. */
  readonly snapshots: boolean | undefined;
  /** "ok" or "err". */
  readonly lastSnapshot: string | undefined;
  readonly lastAofWrite: string | undefined;
};

export type TargetFacts = {
  readonly identity: ServerIdentity;
  readonly mode: "standalone" | "cluster" | "sentinel";
  readonly isReplica: boolean;
  /** host:port of the master of a replica. */
  readonly masterAddress: string | undefined;
  readonly isLoading: boolean;
  /** As the server says, or as many as it lets us select. */
  readonly databases: number;
  /** undefined when it tells neither by INFO nor by DBSIZE. */
  readonly keysByDatabase: ReadonlyMap<number, number> | undefined;
  readonly rights: ReadonlyMap<OptionalCommand, CommandRight>;
  /** Words of the refusal when our user may use some keys only. */
  readonly keysRefused: string | undefined;
  /** RDB versions, of those that we would stamp, which RESTORE takes; undefined when it does not tell. */
  readonly restoreVersions: readonly number[] | undefined;
  readonly modules: readonly TargetModule[] | undefined;
  /** `proto-max-bulk-len` */
  readonly maxBulkBytes: number | undefined;
  readonly memory: TargetMemory;
  readonly persistence: TargetPersistence;
  readonly connectedReplicas: number | undefined;
  readonly maxClients: number | undefined;
  readonly connectedClients: number | undefined;
  /** What it refused to tell, by request. */
  readonly refusals: ReadonlyMap<string, string>;
};
