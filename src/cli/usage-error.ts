/**
 * Commander's complaints in our own words. Commander repeats what was typed, and `--source-password=…` or a URL in the wrong place is
 * typed by someone in a hurry, so only the names of flags and commands are repeated.
 */
import type { CommanderError } from "commander";
import { Df2RedisError } from "../errors/df2redis-error.ts";

const FLAG = /^--?[A-Za-z][A-Za-z0-9-]{0,39}$/;
const COMMAND = /^[a-z][a-z-]{0,19}$/;

/** Undefined when Commander only wanted to end the program: help or version was shown. */
export function usageError(error: CommanderError): Df2RedisError | undefined {
  const text = usageText(error);
  return text === undefined ? undefined : new Df2RedisError("USAGE", text);
}

function usageText({ code, message }: CommanderError): string | undefined {
  const quoted = /'([^']*)'/.exec(message)?.[1] ?? "";
  const meant = /\(Did you mean (?:one of )?([^?)]*)\?\)/.exec(message)?.[1];
  const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
  switch (code) {
    case "commander.unknownOption":
      return `${flagText(quoted)} is not a known option.${hint}`;
    case "commander.unknownCommand":
      return `${COMMAND.test(quoted) ? quoted : "What was given"} is not a known command.${hint}`;
    case "commander.excessArguments":
      return "There are more arguments than the command takes; every value belongs to an option, like --source host:port.";
    case "commander.optionMissingArgument":
      return `The option ${quoted} needs a value.`;
    case "commander.helpDisplayed":
    case "commander.version":
    case "commander.help":
      return undefined;
    default:
      return "The command line cannot be read.";
  }
}

function flagText(typed: string): string {
  const name = typed.split("=")[0] ?? "";
  // `-chunter2` is a short flag with its value attached.
  if (!name.startsWith("--")) return name.slice(0, 2);
  return FLAG.test(name) ? name : "What was given";
}
