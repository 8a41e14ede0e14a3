/**
 * Stands in for a Dragonfly binary in tests of what starts one: takes its flags, refuses those it does not know as Abseil does, and is the simulator
 * behind them.
 */
import { liveReplication } from "../../src/simulator/live/replication/live-replication.ts";
import { startLiveMaster } from "../../src/simulator/live/server.ts";

const KNOWN = [
  "bind",
  "port",
  "proactor_threads",
  "maxmemory",
  "dbfilename",
  "dir",
  "logtostderr",
  "version_check",
  "compression_mode",
  "serialization_max_chunk_size",
  "shard_repl_backlog_len",
  "requirepass",
];

const flags = new Map(
  process.argv.slice(2).map((arg) => /^--(\w+)(?:=(.*))?$/.exec(arg)?.slice(1, 3) as [string, string]),
);
if (flags.has("helpfull")) {
  console.log(KNOWN.map((name) => `      --${name} (a flag); default: 0;`).join("\n"));
  process.exit(1);
}
const unknown = [...flags.keys()].find((name) => !KNOWN.includes(name));
if (unknown !== undefined) {
  console.error(`ERROR: Unknown command line flag '${unknown}'`);
  process.exit(1);
}
const requirepass = flags.get("requirepass");
const master = await startLiveMaster({
  port: Number(flags.get("port")),
  host: flags.get("bind") ?? "",
  shards: Number(flags.get("proactor_threads")),
  ...(requirepass !== undefined && { requirepass }),
  flags: Object.fromEntries([...flags].filter(([, value]) => value !== undefined)),
  replication: liveReplication(),
});
process.on("SIGTERM", () => void master.stop());
await master.stopped;
process.exit(0);
