/** What commands about the server need of it. */
import type { AclUsers } from "./acl.ts";
import type { ClientPause } from "./client-pause.ts";
import type { ClientState } from "./client-state.ts";
import type { Keyspace } from "./keyspace.ts";
import type { ReplicationHandler } from "./replication-handler.ts";
import type { Settings } from "./settings.ts";

export type ClientInfo = {
  readonly state: ClientState;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What stands in CLIENT LIST in place of the name that the client gave (`repl_flow_1`). */
  readonly shownName: string;
  readonly connectedAtMs: number;
  readonly lastRequestMs: number;
  readonly requests: number;
  readonly readBytes: number;
  readonly reads: number;
};

export type MasterServices = {
  readonly keyspace: Keyspace;
  readonly settings: Settings;
  readonly users: AclUsers;
  readonly pause: ClientPause;
  readonly replication: ReplicationHandler;
  /** "df-v1.40.1" */
  readonly dragonflyVersion: string;
  readonly startedAtMs: number;
  readonly port: number;
  clients(): readonly ClientInfo[];
  /** Closes the connection behind its last reply (QUIT). */
  closeAfterReply(state: ClientState): void;
  shutdown(): void;
};
