/** Judges what was seen of the source. Pure: facts in, checks out. */
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import { ERROR_CODES } from "../../errors/codes.ts";
import { identityName } from "../../net/server-identity.ts";
import { formatBytes, formatCount, plural } from "../../observability/format.ts";
import { safeText } from "../../observability/key-text.ts";
import type { Census } from "../../source/census.ts";
import type { MasterInfo } from "../../source/master-info.ts";
import type { SourceFacts } from "../../source/source-facts.ts";
import { CheckList } from "./check-list.ts";
import type { DoctorCheck } from "./doctor-report.ts";
import { judgeClientRoom, judgeConnection, judgeHidden, judgeUnreachable } from "./judge-connection.ts";
import { type NoLook, type SourceLook, wasSeen } from "./look.ts";
import { keysText, percent } from "./words.ts";

/** The releases whose bytes were recorded and are replayed in the tests. */
const TESTED_RELEASES = ["1.27.4", "1.40.1"];

/** The highest protocol version that those speak. */
const KNOWN_PROTOCOL = 5;

/** Above this share of its memory a master has little left for what is written during a copy. */
const FULL = 0.85;

export function judgeSource(look: SourceLook | NoLook): DoctorCheck[] {
  const list = new CheckList("source");
  if (!wasSeen(look)) {
    judgeUnreachable(list, look.error);
    return list.checks;
  }
  const { facts, handshake, census } = look;
  judgeConnection(list, look);
  judgeProduct(list, facts);
  if (isDragonfly(look)) judgeReplication(list, facts, handshake);
  judgeMode(list, facts);
  judgeMemory(list, facts);
  judgeKeys(list, facts);
  judgeTypes(list, census);
  const flows = handshake instanceof Df2RedisError ? undefined : handshake.flowCount;
  if (flows !== undefined) judgeClientRoom(list, { ...facts, needed: flows + 1 });
  judgeHidden(list, new Map([...facts.refusals, ...census.refusals]));
  return list.checks;
}

/** Where INFO is hidden, the handshake tells. */
function isDragonfly({ facts: { identity } }: SourceLook): boolean {
  return identity.product === "dragonfly" || identity.product === "unknown";
}

function judgeProduct(list: CheckList, { identity, isLoading }: SourceFacts): void {
  const name = identityName(identity);
  if (isLoading) list.problem("loading", "it is still loading its data", "Wait until it is done.");
  if (identity.product === "unknown") list.unknown("version", "it does not tell what it is (INFO SERVER)");
  else if (identity.product !== "dragonfly") {
    list.problem("version", `${name}, not a Dragonfly`, ERROR_CODES.NOT_A_DRAGONFLY.action);
  } else if (TESTED_RELEASES.includes(identity.version)) list.ok("version", `${name}, tested`);
  else list.ok("version", `${name} (tested are ${TESTED_RELEASES.join(" and ")})`);
}

function judgeReplication(list: CheckList, facts: SourceFacts, handshake: MasterInfo | Df2RedisError): void {
  if (handshake instanceof Df2RedisError) {
    list.problem("replication", handshake.message, ERROR_CODES[handshake.code].action);
    return;
  }
  const { flowCount, protocolVersion } = handshake;
  const found = `takes us as a replica: ${plural(flowCount, "flow")}, protocol version ${protocolVersion}`;
  if (protocolVersion > KNOWN_PROTOCOL) {
    const advice = `Newer than ${KNOWN_PROTOCOL}, the highest that this df2redis knows: look for a newer one, or try a copy into a spare target first.`;
    list.warning("replication", found, advice);
  } else if (protocolVersion === 0) {
    list.warning(
      "replication",
      found,
      "A release before 1.11, with which no test was made: try a copy into a spare target first.",
    );
  } else list.ok("replication", found);
  if (facts.isReplica === true) {
    const of = facts.masterAddress === undefined ? "" : ` of ${safeText(facts.masterAddress)}`;
    list.warning(
      "role",
      `a replica${of}`,
      "It may lag behind its master, and ends the run when it is promoted; the master's address is the better source.",
    );
  }
  if (facts.connectedReplicas !== undefined && facts.connectedReplicas > 0)
    list.ok("replicas", `${plural(facts.connectedReplicas, "replica")} connected besides us`);
}

function judgeMode(list: CheckList, { isCluster, evicts }: SourceFacts): void {
  if (isCluster === true) {
    list.warning(
      "cluster",
      "in cluster mode",
      "Only the slots of this node are copied: run one df2redis for each node.",
    );
  }
  if (evicts === true) {
    list.warning(
      "eviction",
      "a cache: it evicts keys when its memory is full",
      "What it evicts is deleted from the target, too.",
    );
  }
}

function judgeMemory(list: CheckList, { usedBytes, limitBytes }: SourceFacts): void {
  if (usedBytes === undefined) return list.unknown("memory", "it does not tell how much memory it uses");
  if (limitBytes === undefined || limitBytes === 0) return list.ok("memory", `${formatBytes(usedBytes)} used`);
  const found = `${formatBytes(usedBytes)} of ${formatBytes(limitBytes)} used (${percent(usedBytes, limitBytes)})`;
  if (usedBytes < FULL * limitBytes) return list.ok("memory", found);
  list.warning(
    "memory",
    found,
    "During a copy it keeps what is written meanwhile; raise its maxmemory, or copy in a quiet hour.",
  );
}

function judgeKeys(list: CheckList, { keysByDatabase, searchIndexes }: SourceFacts): void {
  if (keysByDatabase === undefined) list.unknown("keys", "it does not tell how many keys it holds (INFO KEYSPACE)");
  else list.ok("keys", keysText(keysByDatabase));
  if (searchIndexes !== undefined && searchIndexes > 0)
    list.ok("search", searchIndexes === 1 ? "1 search index" : `${formatCount(searchIndexes)} search indexes`);
}

function judgeTypes(list: CheckList, census: Census): void {
  if (census.refusals.has("SCAN")) return list.unknown("types", `SCAN is refused: ${census.refusals.get("SCAN")}`);
  if (census.sampledKeys === 0) return list.ok("types", "no keys to look at");
  const types = [...census.types].toSorted(([, a], [, b]) => b.keys - a.keys);
  const shares = types.map(([name, { keys }]) => `${safeText(name)} ${percent(keys, census.sampledKeys)}`);
  const whole = census.isComplete
    ? `all ${plural(census.sampledKeys, "key")}`
    : `a sample of ${plural(census.sampledKeys, "key")}`;
  const [largest] = types.toSorted(([, a], [, b]) => b.largestBytes - a.largestBytes);
  const size =
    largest === undefined || largest[1].largestBytes === 0
      ? ""
      : `; the largest is a ${safeText(largest[0])} of ${formatBytes(largest[1].largestBytes)}`;
  const expiring = `${formatCount(census.expiringKeys)} with a deadline`;
  list.ok("types", `${whole}: ${shares.join(", ")}; ${expiring}${size}`);
}
