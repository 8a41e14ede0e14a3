/** `df2redis migrate`. */
import type { Command } from "commander";
import type { RunCommandOptions } from "../run-command.ts";
import { addRunCommand } from "./run-options.ts";

const TEXT = [
  "Copy one snapshot of a live Dragonfly into a Redis, then end.",
  "Joins the source as a replica, copies its snapshot, and ends with exit code 0 as soon as all of it is in the target. Writes " +
    "that the source takes afterwards are not copied: use replicate for those. Interrupted before it is done, it ends with exit " +
    "code 130.",
].join("\n\n");

export function addMigrateCommand(program: Command, run: (options: RunCommandOptions) => Promise<void>): void {
  addRunCommand(program, {
    mode: "migrate",
    summary: "copy one snapshot of a live Dragonfly, then end",
    text: TEXT,
    run,
  });
}
