/** docs/reference/config.md from the configuration schema. */
import { defaultText } from "../../src/cli/config-options.ts";
import { type ConfigField, type ConfigSection, ROOT_SECTION } from "../../src/config/config-fields.ts";
import { CONFIG_FILE_VARIABLE, IGNORED_PREFIX } from "../../src/config/env-layer.ts";
import { GENERATED, type Page } from "./page.ts";

const INTRO = `# Configuration

Nothing has to be configured in a file: \`source\` and \`target\` can be given as flags. What is not given has the default below.

A key can be given in three places. Flags win over environment variables, variables over the file, the file over the defaults.

- **File**: YAML, named by \`--config\` (or \`${CONFIG_FILE_VARIABLE}\`). Paths in it are relative to the directory that it is in.
- **Environment**: each key has one variable: \`DF2REDIS_\` and the key's path. An empty variable counts as not set. Paths are relative to
  the working directory.
- **Flags**: for the keys that are often given by hand.

All mistakes are reported at once, each with its file, line and column, its variable or its flag. A key or a \`DF2REDIS_\` variable that is not
listed here is a mistake too (variables that start with \`${IGNORED_PREFIX}\` belong to the tests of df2redis and are ignored).

Passwords come from the file, from a file of their own (\`passwordFile\`), from the environment or from a URL. A URL on the command line can be
read by other users of the machine while df2redis runs; the other ways cannot. Passwords are never printed: they appear as \`***\`.

Sizes are numbers of bytes, or texts like \`64 KiB\`, \`8 MiB\`, \`1 GiB\` (powers of 1024).

[config.schema.json](../config.schema.json) is the JSON schema of the file. Editors that know YAML use it after this first line:

\`\`\`yaml
# yaml-language-server: $schema=docs/config.schema.json
\`\`\`

## Examples

The shortest file:

\`\`\`yaml
source: 10.0.0.1:6379
target: redis://10.0.0.2:6379
\`\`\`

With users, passwords and TLS:

\`\`\`yaml
taskName: orders
source:
  addr: dragonfly.internal:6379
  user: replicator
  passwordFile: /run/secrets/dragonfly
  tls:
    ca: ca.pem
target:
  addr: redis.internal:6379
  passwordFile: /run/secrets/redis
  tls: true
log:
  dir: log
advanced:
  workers: 4
\`\`\`

## Keys
`;

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function defaultCell(field: ConfigField): string {
  const text = defaultText(field);
  if (text !== undefined) return field.defaultText === undefined ? `\`${text}\`` : text;
  return field.kind === "address" ? "required" : "none";
}

function fieldRow(field: ConfigField): string {
  const flag = field.flag === undefined ? "" : `\`--${field.flag}\``;
  return `| \`${field.key}\` | ${cell(field.description)} | ${cell(field.allowed)} | ${cell(defaultCell(field))} | \`${field.env}\` | ${flag} |`;
}

function sectionText(section: ConfigSection, level: number): string {
  const fields: ConfigField[] = [];
  const sections: ConfigSection[] = [];
  for (const node of section.children.values()) {
    if ("field" in node) fields.push(node.field);
    else sections.push(node.section);
  }
  const heading = section.path === "" ? "" : `${"#".repeat(level)} \`${section.path}\`\n\n${section.description}\n\n`;
  const rows = fields.map(fieldRow).join("\n");
  const table = `| Key | Meaning | Allowed | Default | Variable | Flag |\n| --- | --- | --- | --- | --- | --- |\n${rows}\n`;
  const below = sections.map((child) => sectionText(child, level + 1)).join("\n");
  return [heading + table, below].filter((text) => text !== "").join("\n");
}

export const page: Page = {
  path: "docs/reference/config.md",
  render: () => `${GENERATED}\n\n${INTRO}\n${sectionText(ROOT_SECTION, 2)}`,
};
