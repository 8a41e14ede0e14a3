/** What a look at the source found out, before anything is judged. Whatever it hides is undefined. */
import type { ServerIdentity } from "../net/server-identity.ts";

export type SourceFacts = {
  readonly identity: ServerIdentity;
  /** undefined when it tells neither by INFO nor by ROLE. */
  readonly isReplica: boolean | undefined;
  readonly masterAddress: string | undefined;
  readonly isLoading: boolean;
  readonly isCluster: boolean | undefined;
  /** It evicts keys when its memory is full (`--cache_mode`). */
  readonly evicts: boolean | undefined;
  readonly usedBytes: number | undefined;
  readonly limitBytes: number | undefined;
  /** Databases without keys are left out; undefined when it hides them. */
  readonly keysByDatabase: ReadonlyMap<number, number> | undefined;
  readonly connectedReplicas: number | undefined;
  readonly maxClients: number | undefined;
  readonly connectedClients: number | undefined;
  /** Number of search indexes. */
  readonly searchIndexes: number | undefined;
  /** What it refused to tell, by request. */
  readonly refusals: ReadonlyMap<string, string>;
};
