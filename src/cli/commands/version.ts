/** `df2redis version`. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";

/** The version of this package. package.json is as far up from `dist/` as from `src/`. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

export function addVersionCommand(program: Command, show: (text: string) => void): void {
  program
    .command("version")
    .summary("show the version")
    .description("Show the version of df2redis and of Node.js.")
    .action(() => show(`df2redis ${packageVersion()} (Node.js ${process.version})\n`));
}
