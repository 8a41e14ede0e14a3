/**
 * Child processes that never outlive this one, however it ends: told to at a normal exit, and by the kernel (PR_SET_PDEATHSIG) when it is killed.
 * Without util-linux's `setpriv` only the first holds.
 */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";

const PREFIX = isOnPath("setpriv") ? ["setpriv", "--pdeathsig", "KILL", "--"] : [];

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Like `spawn`; the child's pid is the program's own. */
export function spawnBound(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const [command = program, ...rest] = [...PREFIX, program, ...args];
  const child = spawn(command, rest, options);
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.once("error", () => running.delete(child));
  return child;
}

/** Whether a program can be run by its name. */
export function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(path.delimiter).some((directory) => {
    try {
      accessSync(path.join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
