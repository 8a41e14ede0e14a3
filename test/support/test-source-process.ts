/**
 * The live simulator in a process of its own (see test-source.ts): takes its options as an argument, and runs until it is told to end,
 * or ends by itself as after DFLY TAKEOVER.
 */
import { readFileSync } from "node:fs";
import { liveReplication } from "../../src/simulator/live/replication/live-replication.ts";
import { type LiveMasterOptions, startLiveMaster } from "../../src/simulator/live/server.ts";

type Options = LiveMasterOptions & { readonly tlsFiles?: { readonly certFile: string; readonly keyFile: string } };

const { tlsFiles, ...options } = JSON.parse(process.argv[2] ?? "") as Options;
const tls = tlsFiles && { cert: readFileSync(tlsFiles.certFile, "utf8"), key: readFileSync(tlsFiles.keyFile, "utf8") };
const master = await startLiveMaster({ ...options, ...(tls && { tls }), replication: liveReplication() });
process.on("SIGTERM", () => void master.stop());
await master.stopped;
process.exit(0);
