/**
 * The simulated masters behind one door, for `df2redis simulate`: live, playing a recording, or with generated data. Loads only the one that is asked
 * for. A test tool, never part of the product's data path.
 */
import type { CompressionMode } from "./live/replication/blob-compressor.ts";

export type SimulatedMasterOptions = {
  readonly port: number;
  /** Plays this recording and nothing else. */
  readonly recording?: string;
  /** Makes so many keys as they are sent, and none else. */
  readonly generate?: number;
  readonly shards: number;
  /** As INFO SERVER shows it: "df-v1.40.1". */
  readonly version: string;
  readonly compression: CompressionMode;
  readonly taggedChunks: boolean;
  /** Keys to begin with. */
  readonly populate: number;
  readonly requirepass?: string;
};

export type SimulatedMaster = {
  /** `host:port` */
  readonly address: string;
  readonly port: number;
  /** What it is and holds, in some words. */
  readonly description: string;
  /** Whether clients can write to it. */
  readonly isLive: boolean;
  /** When it ends by itself, as a live one does at SHUTDOWN or a takeover. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
};

const NEVER = new Promise<void>(() => {});

export async function startSimulatedMaster(options: SimulatedMasterOptions): Promise<SimulatedMaster> {
  if (options.recording !== undefined) return await startRecording(options, options.recording);
  if (options.generate !== undefined) return await startGenerated(options, options.generate);
  return await startLive(options);
}

async function startRecording(options: SimulatedMasterOptions, directory: string): Promise<SimulatedMaster> {
  const [{ loadRecording }, { startRecordingMaster }] = await Promise.all([
    import("./recording.ts"),
    import("./recording-master.ts"),
  ]);
  const recording = loadRecording(directory);
  const { requirepass: password } = options;
  const master = await startRecordingMaster({
    recording,
    port: options.port,
    ...(password !== undefined && { password }),
  });
  const { dragonfly, keys } = recording.manifest;
  return {
    address: master.address,
    port: master.port,
    description: `plays what a Dragonfly ${dragonfly} sent (${recording.name}): ${count(keys)} keys at its end, ${flows(master.flowCount)}`,
    isLive: false,
    ended: NEVER,
    stop: () => master.stop(),
  };
}

async function startGenerated(options: SimulatedMasterOptions, keys: number): Promise<SimulatedMaster> {
  const { startGeneratedMaster } = await import("./generated/generated-master.ts");
  const { port, shards, compression, version } = options;
  const types = { string: 6, hash: 1, list: 1, set: 1, zset: 1 };
  const master = await startGeneratedMaster({ port, keys, flows: shards, compression, version, types });
  return {
    address: master.address,
    port: master.port,
    description: `a Dragonfly ${version} with ${count(keys)} generated keys, made as they are sent, ${flows(shards)}`,
    isLive: false,
    ended: NEVER,
    stop: () => master.stop(),
  };
}

async function startLive(options: SimulatedMasterOptions): Promise<SimulatedMaster> {
  const [{ startLiveMaster }, { liveReplication }, { populate }] = await Promise.all([
    import("./live/server.ts"),
    import("./live/replication/live-replication.ts"),
    import("./populate-live.ts"),
  ]);
  const { port, shards, version, requirepass } = options;
  const master = await startLiveMaster({
    port,
    shards,
    dragonflyVersion: version,
    flags: {
      compression_mode: String(options.compression),
      serialization_tagged_chunks: String(options.taggedChunks),
    },
    ...(requirepass !== undefined && { requirepass }),
    replication: liveReplication(),
  });
  populate(master, { keys: options.populate, password: requirepass });
  return {
    address: master.address,
    port: master.port,
    description: `a live Dragonfly ${version} with ${count(options.populate)} keys on ${shards} ${shards === 1 ? "shard" : "shards"}`,
    isLive: true,
    ended: master.stopped,
    stop: () => master.stop(),
  };
}

function flows(number: number): string {
  return number === 1 ? "on 1 flow" : `on ${number} flows`;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
