/** INFO: the sections and their lines, in the order of the recorded dialogs. Figures that a simulator has none of are those of an idle master. */
import type { MasterServices } from "./master-services.ts";
import { DATABASES } from "./shard.ts";
import { isOldVersion } from "./versions.ts";

const DEFAULT_MAX_MEMORY = 2_147_483_648;

type Section = (master: MasterServices) => string;

const SECTIONS: ReadonlyMap<string, { readonly title: string; readonly render: Section }> = new Map([
  ["SERVER", { title: "Server", render: server }],
  ["CLIENTS", { title: "Clients", render: clients }],
  ["MEMORY", { title: "Memory", render: memory }],
  ["STATS", { title: "Stats", render: stats }],
  ["REPLICATION", { title: "Replication", render: (master) => master.replication.infoReplication() }],
  ["KEYSPACE", { title: "Keyspace", render: keyspace }],
  ["CPU", { title: "Cpu", render: cpu }],
  ["CLUSTER", { title: "Cluster", render: cluster }],
]);

/** @param name in upper case; ALL, EVERYTHING, DEFAULT and nothing give all sections, an unknown one gives nothing */
export function infoText(master: MasterServices, name: string): string {
  const all = name === "" || name === "ALL" || name === "EVERYTHING" || name === "DEFAULT";
  const wanted = all ? [...SECTIONS.values()] : [SECTIONS.get(name)];
  return wanted
    .filter((section) => section !== undefined)
    .map(({ title, render }) => `# ${title}\r\n${render(master)}`)
    .join("\r\n");
}

function lines(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join("");
}

function server(master: MasterServices): string {
  const old = isOldVersion(master.dragonflyVersion);
  const uptimeS = Math.floor((master.keyspace.nowMs() - master.startedAtMs) / 1000);
  return lines({
    redis_version: "7.4.0",
    dragonfly_version: master.dragonflyVersion,
    redis_mode: "standalone",
    arch_bits: 64,
    ...(old ? {} : { process_id: process.pid }),
    os: "Linux 6.1.0 x86_64",
    thread_count: master.keyspace.shards.length,
    multiplexing_api: "iouring",
    tcp_port: master.port,
    uptime_in_seconds: uptimeS,
    uptime_in_days: Math.floor(uptimeS / 86_400),
    ...(old ? {} : { hz: 100, executable: "df2redis simulate", config_file: "" }),
  });
}

function clients(master: MasterServices): string {
  return lines({ connected_clients: master.clients().length, blocked_clients: 0 });
}

function human(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(2)}${units[power]}`;
}

function memory(master: MasterServices): string {
  const old = isOldVersion(master.dragonflyVersion);
  const { heapUsed, external, rss } = process.memoryUsage();
  const used = heapUsed + external;
  const maxMemory = Number(master.settings.get("maxmemory")) || DEFAULT_MAX_MEMORY;
  let entries = 0;
  for (let db = 0; db < DATABASES; db++) entries += master.keyspace.size(db);
  return lines({
    used_memory: used,
    used_memory_human: human(used),
    used_memory_peak: used,
    used_memory_peak_human: human(used),
    fibers_stack_vms: 0,
    fibers_count: 0,
    used_memory_rss: rss,
    used_memory_rss_human: human(rss),
    used_memory_peak_rss: rss,
    maxmemory: maxMemory,
    maxmemory_human: human(maxMemory),
    used_memory_lua: 0,
    object_used_memory: used,
    table_used_memory: 0,
    ...(old ? { num_buckets: 960 } : { prime_capacity: 13440 }),
    num_entries: entries,
    inline_keys: 0,
    ...(old ? { listpack_blobs: 0, listpack_bytes: 0 } : {}),
    small_string_bytes: 0,
    pipeline_cache_bytes: 0,
    dispatch_queue_bytes: 0,
    ...(old ? {} : { pipeline_queue_bytes: 0 }),
    dispatch_queue_subscriber_bytes: 0,
    dispatch_queue_peak_bytes: 0,
    client_read_buffer_peak_bytes: 256,
    tls_bytes: 0,
    snapshot_serialization_bytes: 0,
    commands_squashing_replies_bytes: 0,
    ...(old ? {} : { psync_buffer_size: 0, psync_buffer_bytes: 0 }),
    cache_mode: "store",
    maxmemory_policy: "noeviction",
    replication_streaming_buffer_bytes: 0,
    replication_full_sync_buffer_bytes: 0,
  });
}

function stats(master: MasterServices): string {
  const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
  return lines({
    total_commands_processed: master.clients().reduce((sum, client) => sum + client.requests, 0),
    expired_keys: master.keyspace.expired,
    keyspace_hits: total(master.keyspace.hits),
    keyspace_misses: total(master.keyspace.misses),
  });
}

function keyspace(master: MasterServices): string {
  return Array.from({ length: DATABASES }, (_, db) => databaseLine(master, db)).join("");
}

function databaseLine(master: MasterServices, db: number): string {
  const keys = master.keyspace.size(db);
  if (keys === 0 && db > 0) return "";
  const expires = master.keyspace.expiringCount(db);
  if (isOldVersion(master.dragonflyVersion)) return `db${db}:keys=${keys},expires=${expires},avg_ttl=-1\r\n`;
  const hits = master.keyspace.hits[db] ?? 0;
  const misses = master.keyspace.misses[db] ?? 0;
  const ratio = hits + misses === 0 ? 0 : (hits * 100) / (hits + misses);
  return `db${db}:keys=${keys},expires=${expires},hits=${hits},misses=${misses},hit_ratio=${ratio.toFixed(2)},avg_ttl=-1\r\n`;
}

function cpu(): string {
  const { user, system } = process.cpuUsage();
  return lines({ used_cpu_sys: (system / 1e6).toFixed(6), used_cpu_user: (user / 1e6).toFixed(6) });
}

function cluster(master: MasterServices): string {
  if (isOldVersion(master.dragonflyVersion)) return lines({ cluster_enabled: 0 });
  return lines({ cluster_enabled: 0, migration_errors_total: 0, total_migrated_keys: 0 });
}
