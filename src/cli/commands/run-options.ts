/** The command line that `replicate` and `migrate` share. */
import type { Command } from "commander";
import type { RunMode } from "../../commands/run-report.ts";
import { addConfigOptions, configFlags } from "../config-options.ts";
import type { RunCommandOptions } from "../run-command.ts";

export type RunCommandDefinition = {
  readonly mode: RunMode;
  readonly summary: string;
  readonly text: string;
  readonly run: (options: RunCommandOptions) => Promise<void>;
};

function examples(mode: RunMode): string {
  return `
Examples:
  df2redis ${mode} --source 127.0.0.1:6380 --target redis://127.0.0.1:6379
  df2redis ${mode} --source 10.0.0.1:6379 --source-password-file /run/secrets/df --target rediss://10.0.0.2:6379
  DF2REDIS_TARGET_PASSWORD=… df2redis ${mode} --config task.yaml --json

Each key of the configuration also has an environment variable, DF2REDIS_ and its path: DF2REDIS_SOURCE, DF2REDIS_LOG_LEVEL.
Flags win over variables, variables over the file. All keys: docs/reference/config.md`;
}

export function addRunCommand(program: Command, { mode, summary, text, run }: RunCommandDefinition): void {
  const command = program.command(mode).summary(summary).description(text);
  addConfigOptions(command);
  command.addHelpText("after", examples(mode));
  command.action(async () => {
    const { config: file, json } = command.opts<{ config?: string; json?: boolean }>();
    await run({ mode, file, flags: configFlags(command), json: json === true });
  });
}
