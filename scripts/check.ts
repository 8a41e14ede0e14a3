/** `npm run check`: every check that needs no server. All of them run, so that one run shows everything that is wrong. */
import { runCommand } from "./run-command.ts";

const CHECKS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["format", "oxfmt", "--check"],
  ["lint and layers", "oxlint"],
  ["types", "tsc", "--noEmit"],
  ["unused code", "knip"],
  ["generated docs", process.execPath, "scripts/gen-docs.ts", "--check"],
];

const failed: string[] = [];
for (const [name, command, ...args] of CHECKS) {
  console.log(`== ${name}`);
  const code = await runCommand(command, args);
  if (code !== 0) failed.push(name);
}
console.log(failed.length === 0 ? "All checks passed." : `Failed: ${failed.join(", ")}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
