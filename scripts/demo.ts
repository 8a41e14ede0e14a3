/** `npm run demo [-- --recording <name>]`: shows the tool at work without any server of the user's. Exit code 0 when all is as it should be. */
import { parseArgs } from "node:util";
import { recordingNames } from "../test/support/recordings.ts";
import { runDemo } from "./demo/run-demo.ts";

// Ending by exit stops the servers and the tool too.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

const USAGE = `npm run demo                            a live source
npm run demo -- --recording <name>      a recorded session of a real Dragonfly:
  ${recordingNames().join("\n  ")}`;

/** undefined: a live source; throws when the command line is not right. */
function recordingOf(args: readonly string[]): string | undefined {
  const { recording } = parseArgs({ args: [...args], options: { recording: { type: "string" } } }).values;
  if (recording !== undefined && !recordingNames().includes(recording))
    throw new Error(`There is no recording ${recording}.`);
  return recording;
}

try {
  const recordingName = recordingOf(process.argv.slice(2));
  try {
    await runDemo({ recordingName, print: (text) => process.stdout.write(text) });
  } catch (error) {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
