/** Runs a command with our own terminal and environment and tells how it ended. For scripts only. */
import { spawn } from "node:child_process";

/** The exit code; 1 when it was ended by a signal or could not be started. */
export async function runCommand(command: string, args: readonly string[]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const child = spawn(command, args, { stdio: "inherit" });
  child.on("error", (error) => {
    console.error(`${command}: ${error.message}`);
    resolve(1);
  });
  child.on("close", (code) => resolve(code ?? 1));
  return promise;
}
