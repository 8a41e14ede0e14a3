/** The replication side of a master that has none: it takes no replica. For tests of the commands. */
import type { ReplicationHandler } from "./replication-handler.ts";

const MASTER_ID = "0123456789abcdef0123456789abcdef01234567";

export const NO_REPLICATION: ReplicationHandler = {
  handle: () => false,
  replicas: () => [],
  infoReplication: () => `role:master\r\nconnected_slaves:0\r\nmaster_replid:${MASTER_ID}\r\n`,
  onConnectionClosed: () => {},
  writesBlocked: () => false,
  whenWritable: (resume) => resume(),
  refusal: () => undefined,
  stop: () => {},
};
