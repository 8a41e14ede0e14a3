/** `npm run bench`: see docs/benchmarks.md. */
import { parseOptions, USAGE } from "./options.ts";
import { resultsText } from "./results-text.ts";
import { runBenchmarks } from "./run-benchmarks.ts";

// What was started and written is given up when the process exits; a signal alone would not make it exit that way.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") process.stdout.write(USAGE);
  else {
    const results = await runBenchmarks(options, (text) => process.stderr.write(`${text}\n`));
    process.stdout.write(options.json ? `${JSON.stringify(results, undefined, 2)}\n` : `\n${resultsText(results)}`);
  }
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
