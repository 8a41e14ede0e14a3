/** `df2redis doctor`. */
import { type Command, Option } from "commander";
import { loadConfig } from "../../config/load-config.ts";
import type { Flags } from "../../config/flag-layer.ts";
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import type { CliDeps } from "../cli-deps.ts";
import { addConfigOptions, configFlags } from "../config-options.ts";
import { doctorText } from "../doctor-text.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { writeEvent } from "../json-display.ts";

const DEFAULT_SAMPLE_KEYS = "1000";
const MAX_SAMPLE_KEYS = 10_000_000;

const TEXT = [
  "Look at both sides before a run, and say go or no-go.",
  "Connects as a run would and checks reachability, rights, versions, memory, clocks, what the source holds (by looking at some of " +
    "its keys) and what would become of what the target does not have. It reads only, but for one key that it sets on the target and deletes " +
    "again. Exit code 0 means go, with or without warnings; 1 means no-go.",
].join("\n\n");

const EXAMPLES = `
Examples:
  df2redis doctor --source 127.0.0.1:6380 --target redis://127.0.0.1:6379
  df2redis doctor --config task.yaml --sample 100000
  df2redis doctor --config task.yaml --json --no-write-check`;

export type DoctorOptions = {
  readonly file: string | undefined;
  readonly flags: Flags;
  readonly json: boolean;
  readonly sampleKeys: number;
  readonly writes: boolean;
};

type RawOptions = {
  readonly config?: string;
  readonly json?: boolean;
  readonly sample: string;
  readonly writeCheck: boolean;
};

export function addDoctorCommand(program: Command, run: (options: DoctorOptions) => Promise<void>): void {
  const command = program.command("doctor").summary("look at both sides before a run").description(TEXT);
  addConfigOptions(command);
  const sample = new Option("--sample <n>", `Keys of each source database to look at (0 to ${MAX_SAMPLE_KEYS})`);
  command.addOption(sample.default(DEFAULT_SAMPLE_KEYS, DEFAULT_SAMPLE_KEYS));
  command.addOption(new Option("--no-write-check", "Do not try a write on the target"));
  command.addHelpText("after", EXAMPLES);
  command.action(async () => {
    const { config: file, json, sample: keys, writeCheck } = command.opts<RawOptions>();
    const sampleKeys = sampleSize(keys);
    await run({ file, flags: configFlags(command), json: json === true, sampleKeys, writes: writeCheck });
  });
}

function sampleSize(text: string): number {
  if (/^\d{1,8}$/.test(text) && Number(text) <= MAX_SAMPLE_KEYS) return Number(text);
  throw new Df2RedisError("USAGE", `--sample is a whole number from 0 to ${MAX_SAMPLE_KEYS}.`);
}

/** Resolves to the exit code. Mistakes in the configuration are thrown, whatever the servers do is not. */
export async function runDoctorCommand(options: DoctorOptions, deps: CliDeps): Promise<number> {
  const { file, flags, json, sampleKeys, writes } = options;
  const config = loadConfig({ file, env: deps.env, flags, readFile: deps.readFile });
  // Loaded only when it runs, so that help and mistakes are shown at once.
  const { runDoctor } = await import("../../commands/doctor.ts");
  const report = await runDoctor({ config, sampleKeys, writes });
  if (json) writeEvent(deps.stdout, "doctor", report);
  else deps.stdout.write(doctorText(report));
  return report.outcome === "go" ? EXIT_CODES.done.code : EXIT_CODES.failed.code;
}
