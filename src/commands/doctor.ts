/**
 * `doctor`: looks at both sides, judges what it saw, and says go or no-go. What a server does or refuses is a check, never an error of this
 * command. On the source it only reads; on the target it writes one key and deletes it, unless told not to.
 */
import { availableParallelism } from "node:os";
import { endpointAddress } from "../config/endpoint.ts";
import type { Config } from "../config/load-config.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { databaseMap } from "../target/database-map.ts";
import { defaultWorkers } from "./default-workers.ts";
import type { DoctorCheck, DoctorReport, ServerSummary } from "./doctor/doctor-report.ts";
import { judgeFit } from "./doctor/judge-fit.ts";
import { judgeSource } from "./doctor/judge-source.ts";
import { judgeTarget } from "./doctor/judge-target.ts";
import { lookAtSource } from "./doctor/look-at-source.ts";
import { lookAtTarget } from "./doctor/look-at-target.ts";
import { type NoLook, type SourceLook, type TargetLook, wasSeen } from "./doctor/look.ts";

export type RunDoctorOptions = {
  readonly config: Config;
  /** Keys of each database to look at; 0: none. */
  readonly sampleKeys: number;
  /** Try one write on the target. */
  readonly writes: boolean;
};

/** Beside the workers: the probe or a flush. */
const OTHER_TARGET_CONNECTIONS = 2;

/** Flows are as many as the source has threads; where it does not tell, this many workers at most are assumed. */
const UNKNOWN_FLOWS = 64;

/** @throws Df2RedisError for mistakes in the configuration only */
export async function runDoctor({ config, sampleKeys, writes }: RunDoctorOptions): Promise<DoctorReport> {
  // Refuses rules that contradict each other before anything is asked.
  databaseMap(config.databases);
  const [source, target] = await Promise.all([lookAtSource(config, sampleKeys), lookAtTarget(config, writes)]);
  const checks = [
    ...judgeSource(source),
    ...judgeTarget(target, { writeMode: config.writeMode, connections: targetConnections(config, source) }),
    ...(wasSeen(source) && wasSeen(target) ? judgeFit({ config, source, target }) : []),
  ];
  const problems = checks.filter(({ level }) => level === "problem");
  return {
    outcome: problems.length === 0 ? "go" : "no-go",
    reasons: problems.map(reason),
    warnings: checks.filter(({ level }) => level === "warning").length,
    source: summary(source),
    target: summary(target),
    checks,
  };
}

function reason({ id, found }: DoctorCheck): string {
  return `${id}: ${found}`;
}

function targetConnections(config: Config, source: SourceLook | NoLook): number {
  const master = wasSeen(source) && !(source.handshake instanceof Df2RedisError) ? source.handshake : undefined;
  const flows = master?.flowCount ?? UNKNOWN_FLOWS;
  return (
    Math.min(flows, config.advanced.workers ?? defaultWorkers(flows, availableParallelism())) + OTHER_TARGET_CONNECTIONS
  );
}

function summary(look: SourceLook | TargetLook | NoLook): ServerSummary {
  const address = endpointAddress(look.endpoint);
  if (!wasSeen(look)) {
    return { address, product: undefined, version: undefined, keysByDatabase: undefined, usedBytes: undefined };
  }
  const { identity, keysByDatabase } = look.facts;
  return {
    address,
    product: identity.product,
    version: identity.version,
    keysByDatabase: keysByDatabase && Object.fromEntries(keysByDatabase),
    usedBytes: "memory" in look.facts ? look.facts.memory.usedBytes : look.facts.usedBytes,
  };
}
