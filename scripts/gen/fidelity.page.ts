/** docs/reference/fidelity.md from docs/reference/fidelity.json, which the fidelity suite keeps. */
import { readFileSync } from "node:fs";
import { GENERATED, type Page } from "./page.ts";

type Cells = Readonly<Record<string, string>>;
type Table = {
  readonly servers: readonly string[];
  readonly types: Readonly<Record<string, Cells>>;
  readonly commands: Readonly<Record<string, Cells>>;
};

const FILE = new URL("../../docs/reference/fidelity.json", import.meta.url);

const INTRO = `# What arrives how

Each cell was seen by a test on that server, with the default configuration: the value or the entry was sent through df2redis, read back and
compared. A test of the suite fails when a cell is no longer true (\`test/fidelity\`).

- **exact**: the target holds what the source held. In brackets is how: \`RESTORE\` of the stored form, \`RESTORE\` of a rewritten one, or the commands.
- **converted**: carried in another form, see [features](../features.md).
- **policy**: no target has it; \`unsupported\` says whether it stops the run (the default) or is left out and counted.
- **nothing to do**: the entry changes nothing that a target holds.
- **–**: not seen on that server.`;

export const page: Page = {
  path: "docs/reference/fidelity.md",
  render() {
    const { servers, types, commands } = JSON.parse(readFileSync(FILE, "utf8")) as Table;
    const parts = [
      "## Types and encodings of the snapshot\n",
      "The number is the RDB type.\n",
      table("Type", types, servers),
      "\n## Commands of the journal\n",
      table("Command", commands, servers),
    ];
    return `${GENERATED}\n\n${INTRO}\n\n${parts.join("\n")}\n`;
  },
};

function table(head: string, rows: Readonly<Record<string, Cells>>, servers: readonly string[]): string {
  const lines = [[head, ...servers], [head, ...servers].map(() => "---")];
  for (const [name, cells] of Object.entries(rows))
    lines.push([name, ...servers.map((server) => cells[server] ?? "–")]);
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");
}
