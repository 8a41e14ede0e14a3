/**
 * An error reply of the simulated master, thrown by a command before it has changed anything. The texts are Dragonfly's (facade/error.h, and the
 * recorded dialogs).
 */
export class CommandError extends Error {
  /** What stands behind the `-` of the reply. */
  readonly reply: string;

  constructor(reply: string) {
    super(reply);
    this.reply = reply;
  }
}

export const SYNTAX = "ERR syntax error";
export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
export const NOT_A_FLOAT = "ERR value is not a valid float";
export const MUST_BE_POSITIVE = "ERR value is out of range, must be positive";
export const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
export const NO_SUCH_KEY = "ERR no such key";
export const INDEX_OUT_OF_RANGE = "ERR index out of range";
export const DB_OUT_OF_RANGE = "ERR DB index is out of range";
export const INCREMENT_OVERFLOW = "ERR increment or decrement would overflow";
export const INCREMENT_NOT_FINITE = "ERR increment would produce NaN or Infinity";

export function syntaxError(): CommandError {
  return new CommandError(SYNTAX);
}

export function unknownCommand(name: string): string {
  return `ERR unknown command \`${name}\``;
}

export function wrongArity(name: string): string {
  return `ERR wrong number of arguments for '${name.toLowerCase()}' command`;
}

export function unknownSubcommand(subcommand: string, command: string): CommandError {
  return new CommandError(
    `ERR Unknown subcommand or wrong number of arguments for '${subcommand}'. Try ${command} HELP.`,
  );
}
