/** `npm test`: runs vitest with the given arguments and closes with the line `N passed, N failed`. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";
import { exitCodeOf, summarize, summaryLines } from "./test-summary.ts";

const vitest = join(import.meta.dirname, "../node_modules/vitest/vitest.mjs");

const folder = await mkdtemp(join(tmpdir(), "df2redis-test-"));
// What runs of tests leave behind goes with it (test/support/run-defaults.ts).
process.env["DF2REDIS_TEST_STATES"] = folder;
try {
  const report = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const exitCode = await runCommand(process.execPath, [vitest, "run", ...reporters, ...process.argv.slice(2)]);
  const summary = summarize(await readFile(report, "utf8").catch(() => undefined), exitCode);
  console.log(summaryLines(summary).join("\n"));
  process.exitCode = exitCodeOf(summary);
} finally {
  await rm(folder, { recursive: true, force: true });
}
