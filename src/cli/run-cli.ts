/** Runs one command line to its exit code. Never throws, never exits by itself unless a second signal forces it. */
import { CommanderError } from "commander";
import { asDf2RedisError, type Df2RedisError } from "../errors/df2redis-error.ts";
import type { CliDeps } from "./cli-deps.ts";
import { runDoctorCommand } from "./commands/doctor.ts";
import { runSimulate } from "./commands/simulate.ts";
import { errorFacts, errorText } from "./error-text.ts";
import { EXIT_CODES, exitCodeOfError } from "./exit-codes.ts";
import { writeEvent } from "./json-display.ts";
import { buildProgram } from "./program.ts";
import { runCommand } from "./run-command.ts";
import { usageError } from "./usage-error.ts";

const DEFAULT_COLUMNS = 80;

/** @param argv what follows the program's name. */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  let exitCode: number = EXIT_CODES.done.code;
  const program = buildProgram({
    run: async (options) => {
      exitCode = await runCommand(options, deps);
    },
    doctor: async (options) => {
      exitCode = await runDoctorCommand(options, deps);
    },
    simulate: (options) => runSimulate(options, deps),
    writeOut: (text) => void deps.stdout.write(text),
    writeErr: (text) => void deps.stderr.write(text),
    columns: deps.stdout.columns ?? DEFAULT_COLUMNS,
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) return fail(asDf2RedisError(thrown), argv, deps);
    const usage = usageError(thrown);
    if (usage !== undefined) return fail(usage, argv, deps);
    // Without a command Commander shows the help and wants exit code 1; that is a usage error here.
    return thrown.exitCode === 0 ? EXIT_CODES.done.code : EXIT_CODES.usage.code;
  }
}

function fail(error: Df2RedisError, argv: readonly string[], deps: CliDeps): number {
  if (argv.includes("--json")) writeEvent(deps.stdout, "error", { error: errorFacts(error) });
  else deps.stderr.write(errorText(error));
  const code = exitCodeOfError(error.code);
  if (error.code === "INTERRUPTED" && error.context["forced"] === true) deps.forceExit(code);
  return code;
}
