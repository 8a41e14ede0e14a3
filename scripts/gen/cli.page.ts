/** docs/reference/cli.md from the commands themselves. */
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { GENERATED, type Page } from "./page.ts";

const HELP_COLUMNS = 110;

const AFTER = `## Output

On a terminal, one progress line is redrawn in place, and phase changes and warnings are lines above it. Elsewhere there are plain lines: one at
each phase change and one every five seconds. At the end comes a report: what was moved by type, how long it took, what could not be
carried and why, entries that the target rejected, and the applied LSN of each flow.

The progress line reads like this:

\`\`\`
full sync · flows 2/4 · keys 1,234,567 (45.2 k/s) · received 123.4 MB (12.1 MB/s) · journal 0 · lag – · 27.3 s
\`\`\`

Once the journal is followed, **lag** and **journal** come first.

- **flows**: how many have delivered their part of the snapshot, of how many.
- **keys**: snapshot objects so far. Rates are over the last five seconds.
- **received**: bytes from the source as on the wire, in powers of 1000.
- **journal**: entries of the journal so far.
- **lag**: entries that have been received and that the target has not confirmed yet; unknown (–) before the journal is followed.

Logs go to standard error and, with \`log.dir\`, to a file; see [config.md](config.md). When the reader of the output goes away, the run goes on and
the text is lost.

Keys are shown as text. Bytes that are not UTF-8 and control characters are shown as \`\\xNN\`, a backslash as \`\\\\\`.

## Output for programs

With \`--json\`, standard output holds one JSON object a line and nothing else. Each has \`event\`:

| event | other members |
| --- | --- |
| \`phase\` | \`phase\` (connecting, handshake, full_sync, catching_up, stable, stopping, stopped, failed), \`detail\` |
| \`progress\` | at most once a second: \`phase\`, \`elapsedMs\`, \`flows\`, \`flowsCut\`, \`keys\`, \`journalEntries\`, \`receivedBytes\`, \`commands\`, \`lagEntries\` (or null), \`losses\`, \`rejected\`, \`keysPerSecond\`, \`receivedBytesPerSecond\`, \`entriesPerSecond\` |
| \`warning\` | \`message\`, \`context\` |
| \`report\` | last, when the run ended well: \`mode\`, \`outcome\` (done, interrupted), \`elapsedMs\`, \`source\`, \`target\`, \`workers\`, \`snapshotMs\` (or null), \`keysByType\`, \`journalEntries\`, \`receivedBytes\`, \`commands\`, \`appliedLsns\`, \`losses\`, \`rejectedCount\`, \`rejected\` |
| \`doctor\` | the only one of \`doctor\`: \`outcome\` (go, no-go), \`reasons\`, \`warnings\`, \`source\`, \`target\`, \`checks\` with \`id\`, \`level\`, \`found\`, \`advice\`; see [doctor.md](../doctor.md) |
| \`error\` | last, otherwise: \`error\` with \`code\`, \`message\`, \`context\`, \`causes\`, \`retryable\`, \`action\`; see [errors.md](errors.md) |

## Signals

| | first SIGINT (Ctrl-C) or SIGTERM | second |
| --- | --- | --- |
| \`replicate\` | the normal end: applies and acknowledges what has been received, reports, exits 0 (130 when the snapshot was not complete) | ends at once, exits 130 |
| \`migrate\` | stops, exits 130 unless the snapshot was complete | ends at once, exits 130 |
| \`doctor\` | ends at once, as any program | |
| \`simulate\` | the normal end: closes everything, exits 0 | |

## Exit codes

`;

function exitCodes(): string {
  const rows = Object.values(EXIT_CODES).map(({ code, meaning }) => `| ${code} | ${meaning} |`);
  return `| Code | Meaning |\n| --- | --- |\n${rows.join("\n")}\n`;
}

/** The help exactly as the program prints it. */
async function help(...argv: string[]): Promise<string> {
  let text = "";
  const program = buildProgram({
    run: () => Promise.resolve(),
    doctor: () => Promise.resolve(),
    simulate: () => Promise.resolve(),
    writeOut: (part) => (text += part),
    writeErr: () => {},
    columns: HELP_COLUMNS,
  });
  // Commander ends --help by throwing.
  await program.parseAsync([...argv, "--help"], { from: "user" }).catch(() => {});
  return `\`\`\`\n${text.trimEnd()}\n\`\`\`\n`;
}

export const page: Page = {
  path: "docs/reference/cli.md",
  async render() {
    const commands = await Promise.all(
      ["replicate", "migrate", "doctor", "simulate", "version"].map(
        async (name) => `## df2redis ${name}\n\n${await help(name)}`,
      ),
    );
    return `${GENERATED}\n\n# Command line\n\n${await help()}\n${commands.join("\n")}\n${AFTER}${exitCodes()}`;
  },
};
