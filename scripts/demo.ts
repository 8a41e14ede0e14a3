/** `npm run demo [-- <recording>]`: shows the tool at work without any server of the user's. Exit code 0 when all is as it should be. */
import { recordingNames } from "../test/support/recordings.ts";
import { runDemo } from "./demo/run-demo.ts";

const [recordingName] = process.argv.slice(2);

// Ending by exit stops the servers and the tool too.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

if (recordingName !== undefined && !recordingNames().includes(recordingName)) {
  console.error(`There is no recording ${recordingName}. There are:\n  ${recordingNames().join("\n  ")}`);
  process.exitCode = 2;
} else {
  try {
    await runDemo({ recordingName, print: (text) => process.stdout.write(text) });
  } catch (error) {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
