/** The CLI of the real process: its streams, environment and signals. */
import { readFileSync } from "node:fs";
import type { CliDeps, RunReplication } from "./cli-deps.ts";
import { runCli } from "./run-cli.ts";

/** Loaded only when a run starts, so that help and mistakes are shown at once. */
const runReplication: RunReplication = async (options) => {
  const { runReplication: run } = await import("../commands/replicate.ts");
  return run(options);
};

/** @param argv what follows the program's name. @returns the exit code */
export function main(argv: readonly string[]): Promise<number> {
  return runCli(argv, processDeps());
}

export function processDeps(): CliDeps {
  ignoreGoneReader(process.stdout);
  ignoreGoneReader(process.stderr);
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
    signals: process,
    runReplication,
    forceExit: (code) => process.exit(code),
  };
}

/**
 * `df2redis replicate | head` closes our output early. The run goes on, because what it writes to the target matters more than who
 * reads along; only the text is lost. Other errors of the stream (a full disk behind it) are treated alike.
 */
function ignoreGoneReader(stream: NodeJS.WriteStream): void {
  stream.on("error", () => {});
}
