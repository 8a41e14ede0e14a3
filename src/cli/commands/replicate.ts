/** `df2redis replicate`. */
import type { Command } from "commander";
import type { RunCommandOptions } from "../run-command.ts";
import { addRunCommand } from "./run-options.ts";

const TEXT = [
  "Copy a live Dragonfly into a Redis and keep following it.",
  "Joins the source as a replica, copies its snapshot and then applies its journal until you stop it. Ctrl-C or SIGTERM is the " +
    "normal end: what has been received is applied and acknowledged, a report is shown, and the exit code is 0. A second signal " +
    "ends at once with exit code 130.",
].join("\n\n");

export function addReplicateCommand(program: Command, run: (options: RunCommandOptions) => Promise<void>): void {
  addRunCommand(program, {
    mode: "replicate",
    summary: "copy a live Dragonfly and keep following it",
    text: TEXT,
    run,
  });
}
