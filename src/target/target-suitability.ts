/** Whether a run can write to a target at all, judged from what was found there. Pure. */
import type { WriteMode } from "../config/schema.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { identityName } from "../net/server-identity.ts";
import { type Peer, peerError, peerName } from "../net/socket-errors.ts";
import { MIN_REDIS_VERSION, restoreSupport } from "./restore-support.ts";
import type { TargetFacts } from "./target-facts.ts";

/** What rules a target out, or undefined. */
export function targetMisfit(peer: Peer, facts: TargetFacts, writeMode: WriteMode = "auto"): Df2RedisError | undefined {
  const why = serverMisfit(facts) ?? (writeMode === "restore" ? restoreMisfit(facts) : undefined);
  if (why !== undefined) return peerError("TARGET_UNSUITABLE", peer, `The ${peerName(peer)} ${why}.`);
  if (!facts.isLoading) return undefined;
  const message = `The ${peerName(peer)} is still loading its data; try again when it is done.`;
  return peerError("TARGET_NOT_READY", peer, message);
}

function serverMisfit({ mode, isReplica, masterAddress, identity }: TargetFacts): string | undefined {
  if (mode === "sentinel") return "is a Sentinel, which holds no data; use the master's address";
  if (mode === "cluster")
    return "is a node of a Redis Cluster; writing to a cluster comes with a later version of df2redis";
  if (isReplica) {
    return `is a replica${masterAddress === undefined ? "" : ` of ${masterAddress}`}; use the master's address`;
  }
  return restoreSupport(identity) === undefined
    ? `is ${identityName(identity)}; at least ${MIN_REDIS_VERSION} is needed`
    : undefined;
}

/** Of `target.writeMode: restore`, which asks for what the other modes only use where it is there. */
function restoreMisfit({ rights, identity, restoreVersions }: TargetFacts): string | undefined {
  const other = "use target.writeMode: auto or commands";
  const right = rights.get("RESTORE");
  if (right === "forbidden")
    return `does not let our user run RESTORE, which target.writeMode: restore needs; allow it, or ${other}`;
  if (right !== "allowed") {
    const what = right === "absent" ? "has no RESTORE" : "does not say whether it has RESTORE";
    return `${what}, which target.writeMode: restore needs; ${other}`;
  }
  return restoreSupport(identity, restoreVersions)?.restorableTypes.size === 0
    ? `is ${identityName(identity)}, of which no stored form is known that its RESTORE loads, as target.writeMode: restore needs; ${other}`
    : undefined;
}
