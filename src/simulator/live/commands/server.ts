/** Commands about the server: INFO, CONFIG, ROLE, COMMAND, DEBUG POPULATE and the like. */
import { arg, integer, text, word } from "../arguments.ts";
import type { Call } from "../call.ts";
import { type Command, CommandFamily } from "../command.ts";
import {
  CommandError,
  NO_SUCH_KEY,
  syntaxError,
  unknownCommand,
  unknownSubcommand,
  wrongArity,
} from "../command-error.ts";
import { infoText } from "../info.ts";
import { populate } from "./populate.ts";
import { isOldVersion } from "../versions.ts";

/** Commands of a real master; this one has fewer. */
const COMMAND_COUNT = 310;
const COMMAND_COUNT_OLD = 271;
const CLUSTER_DISABLED = "ERR Cluster is disabled. Enabled via passing --cluster_mode=emulated|yes";
const DFLYCLUSTER_DISABLED = "ERR Cluster is disabled. Use --cluster_mode=yes to enable.";

/** @param find a command by its upper-case name */
export function serverCommands(find: (name: string) => Command | undefined): readonly Command[] {
  return new CommandFamily("dangerous")
    .add("INFO", { arity: -1 }, info)
    .add("CONFIG", { arity: -2, flags: ["admin"] }, config)
    .add("ROLE", { arity: 1, flags: ["admin"] }, role)
    .add("COMMAND", { arity: -1, categories: ["connection"] }, (call, args) => describe(call, args, find))
    .add("DEBUG", { arity: -2, flags: ["admin"] }, debug)
    .add("MEMORY", { arity: -2 }, memory)
    .add("WAIT", { arity: 3, categories: ["connection"] }, wait)
    .add("LASTSAVE", { arity: 1, flags: ["admin"] }, (call) =>
      call.reply.integer(Math.floor(call.master.startedAtMs / 1000)),
    )
    .add("TIME", { arity: 1 }, time)
    .add("FUNCTION", { arity: -2 }, (_call, args) => fail(unknownSubcommand(text(args[1]), "FUNCTION")))
    .add("CLUSTER", { arity: -2 }, () => fail(new CommandError(CLUSTER_DISABLED)))
    .add("DFLYCLUSTER", { arity: -2, flags: ["admin"] }, () => fail(new CommandError(DFLYCLUSTER_DISABLED)))
    .add("BF.SCANDUMP", { arity: 3 }, scanDump)
    .add("SHUTDOWN", { arity: -1, flags: ["admin"] }, (call) => call.master.shutdown()).commands;
}

function fail(error: CommandError): never {
  throw error;
}

function info(call: Call, args: readonly Buffer[]): void {
  if (args.length > 2) throw syntaxError();
  call.reply.bulk(infoText(call.master, word(args[1])));
}

function config(call: Call, args: readonly Buffer[]): void {
  const subcommand = word(args[1]);
  if (subcommand === "GET" && args.length === 3) {
    call.reply.bulks(call.master.settings.shown(text(args[2])).flat());
  } else if (subcommand === "SET" && args.length === 4) {
    call.master.settings.set(text(args[2]).toLowerCase(), text(args[3]));
    call.reply.ok();
  } else if (subcommand === "RESETSTAT" && args.length === 2) call.reply.ok();
  else throw unknownSubcommand(text(args[1]), "CONFIG");
}

function role(call: Call): void {
  const replicas = call.master.replication.replicas();
  call.reply.arrayHead(2);
  call.reply.bulk("master");
  call.reply.arrayHead(replicas.length);
  for (const { address, listeningPort, state } of replicas) call.reply.bulks([address, String(listeningPort), state]);
}

function describe(call: Call, args: readonly Buffer[], find: (name: string) => Command | undefined): void {
  const subcommand = word(args[1]);
  const old = isOldVersion(call.master.dragonflyVersion);
  if (subcommand === "COUNT" && args.length === 2) call.reply.integer(old ? COMMAND_COUNT_OLD : COMMAND_COUNT);
  else if (subcommand === "INFO" && args.length >= 3 && !(old && args.length > 3))
    describeOne(call, find(word(args[2])));
  else if (subcommand === "DOCS" || args.length === 1) call.reply.arrayHead(0);
  else throw syntaxError();
}

/** Only the first command that was asked for is told, as the recorded dialogs show it. */
function describeOne(call: Call, command: Command | undefined): void {
  call.reply.arrayHead(1);
  if (command === undefined) {
    call.reply.nullArray();
    return;
  }
  const flags = [...command.flags, ...(command.flags.has("readonly") ? ["fast"] : [])];
  call.reply.arrayHead(7);
  call.reply.simple(command.name);
  call.reply.integer(command.arity);
  simples(call, flags);
  for (const position of command.keys) call.reply.integer(position);
  simples(call, [
    ...command.categories.map((category) => `@${category.toUpperCase()}`),
    ...(flags.includes("fast") ? ["@FAST"] : []),
  ]);
}

function simples(call: Call, words: readonly string[]): void {
  call.reply.arrayHead(words.length);
  for (const one of words) call.reply.simple(one);
}

function debug(call: Call, args: readonly Buffer[]): void {
  if (word(args[1]) !== "POPULATE" || args.length < 3) throw unknownSubcommand(text(args[1]), "DEBUG");
  populate(call, args);
  call.reply.ok();
}

/** Roughly what the value holds; nobody depends on the figure. */
function memory(call: Call, args: readonly Buffer[]): void {
  if (word(args[1]) !== "USAGE" || args.length < 3) throw unknownSubcommand(text(args[1]), "MEMORY");
  const key = arg(args, 2);
  const entry = call.find(call.shard(key), key);
  if (entry === undefined) call.reply.bulk(undefined);
  else call.reply.integer(entry.key.length + call.keyspace.dump(entry.value).length);
}

/** Filters are not scanned here: only the dialogs' question for one that does not exist is answered. */
function scanDump(call: Call): void {
  throw new CommandError(isOldVersion(call.master.dragonflyVersion) ? unknownCommand("BF.SCANDUMP") : NO_SUCH_KEY);
}

/** How many replicas are in the stable phase: nothing is waited for. */
function wait(call: Call, args: readonly Buffer[]): void {
  if (isOldVersion(call.master.dragonflyVersion)) throw new CommandError(unknownCommand("WAIT"));
  integer(args[1]);
  if (integer(args[2]) < 0) throw new CommandError(wrongArity("wait"));
  call.reply.integer(
    call.master.replication.replicas().filter(({ state }) => /^(online|stable_sync)$/.test(state)).length,
  );
}

function time(call: Call): void {
  const nowMs = call.nowMs;
  call.reply.arrayHead(2);
  call.reply.integer(Math.floor(nowMs / 1000));
  call.reply.integer((nowMs % 1000) * 1000);
}
