/** The flags of the configuration, made from its schema. */
import { type Command, Option } from "commander";
import { CONFIG_FIELDS, type ConfigField } from "../config/config-fields.ts";
import { byteSizeText } from "../config/byte-size.ts";
import type { Flags } from "../config/flag-layer.ts";

const HEADINGS: Readonly<Record<string, string>> = { source: "Source:", target: "Target:" };

type FlagOption = { readonly field: ConfigField; readonly flag: string; readonly option: Option };

function flagOptions(): readonly FlagOption[] {
  return CONFIG_FIELDS.flatMap((field) => {
    if (field.flag === undefined) return [];
    const value = field.kind === "boolean" ? "" : ` <${field.placeholder ?? "value"}>`;
    const option = new Option(`--${field.flag}${value}`, helpText(field));
    const heading = HEADINGS[field.path.split(".")[0] ?? ""];
    if (heading !== undefined) option.helpGroup(heading);
    return [{ field, flag: field.flag, option }];
  });
}

/** The default of a key in words, or undefined when it has none. */
export function defaultText(field: ConfigField): string | undefined {
  if (field.defaultText !== undefined) return field.defaultText;
  if (field.defaultValue === undefined) return undefined;
  return field.kind === "bytes" ? byteSizeText(Number(field.defaultValue)) : String(field.defaultValue);
}

function helpText(field: ConfigField): string {
  const fallback = field.kind === "boolean" ? undefined : defaultText(field);
  const choices = field.kind === "choice" || field.kind === "integer" ? ` (${field.allowed})` : "";
  const text = field.description.replaceAll("`", "").replace(/\.$/, "");
  return `${text}${choices}${fallback === undefined ? "" : ` (default: ${fallback})`}`;
}

export function addConfigOptions(command: Command): void {
  command.addOption(
    new Option("-c, --config <file>", "YAML file with the configuration; everything works without one"),
  );
  for (const { option } of flagOptions()) command.addOption(option);
  command.addOption(new Option("--json", "Write one JSON object a line to standard output, and nothing else there"));
}

/** What was given on the command line, by long flag name. */
export function configFlags(command: Command): Flags {
  return Object.fromEntries(
    flagOptions().map(({ flag, option }) => [
      flag,
      command.getOptionValue(option.attributeName()) as string | boolean | undefined,
    ]),
  );
}
