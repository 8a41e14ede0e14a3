/** What a connection remembers between requests. */
import type { AclUser } from "./acl.ts";

export type ClientState = {
  readonly id: number;
  db: number;
  name: string;
  /** undefined: not authenticated. */
  user: AclUser | undefined;
  /** Requests since MULTI. */
  queue: Buffer[][] | undefined;
  /** A request since MULTI could not be queued. */
  queueBroken: boolean;
  protocol: 2 | 3;
  libName: string;
  libVersion: string;
};
