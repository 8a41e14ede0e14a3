/** The demo: servers of its own on free ports of 127.0.0.1, the tool between them, and a comparison of the outcome. Leaves nothing
 * running, and no file behind, whatever happens. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endText, HOW_TO } from "./demo-text.ts";
import { runLiveDemo } from "./run-live-demo.ts";
import { runRecordingDemo } from "./run-recording-demo.ts";

const LAUNCHER = fileURLToPath(new URL("../../df2redis", import.meta.url));

export type RunDemoOptions = {
  /** Play this recording instead of a live source. */
  readonly recordingName?: string | undefined;
  /** Instead of the launcher: program and leading arguments. */
  readonly command?: readonly string[];
  readonly print: (text: string) => void;
};

/** Throws with a reason to show when something is not as it should be. */
export async function runDemo({ recordingName, command = [LAUNCHER], print }: RunDemoOptions): Promise<void> {
  const startedMs = Date.now();
  const stateDir = mkdtempSync(join(tmpdir(), "df2redis-demo-"));
  const remove = (): void => rmSync(stateDir, { recursive: true, force: true });
  process.on("exit", remove);
  try {
    if (recordingName === undefined) await runLiveDemo({ command, stateDir, print });
    else await runRecordingDemo(recordingName, { command, stateDir, print });
  } finally {
    remove();
    process.off("exit", remove);
  }
  print(`\n${HOW_TO}`);
  print(endText(Date.now() - startedMs));
}
