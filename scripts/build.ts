/** `npm run build`: compiles src/ into dist/ with tsc, from nothing each time. */
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";

const dist = join(import.meta.dirname, "../dist");
await rm(dist, { recursive: true, force: true });
process.exitCode = await runCommand("tsc", ["-p", join(import.meta.dirname, "../tsconfig.build.json")]);
if (process.exitCode === 0) await chmod(join(dist, "bin.js"), 0o755);
