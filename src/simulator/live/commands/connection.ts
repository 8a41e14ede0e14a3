/** Commands about a client's own connection: authentication, database, names, transactions' start. */
import { arg, integer, text, word } from "../arguments.ts";
import type { Call } from "../call.ts";
import { CommandFamily } from "../command.ts";
import { CommandError, DB_OUT_OF_RANGE, MUST_BE_POSITIVE, syntaxError, unknownSubcommand } from "../command-error.ts";
import type { ClientInfo } from "../master-services.ts";
import { DATABASES } from "../shard.ts";
import { isOldVersion } from "../versions.ts";

export const CONNECTION_COMMANDS = new CommandFamily("connection")
  .add("PING", { arity: -1 }, ping)
  .add("ECHO", { arity: 2 }, (call, args) => call.reply.bulk(args[1]))
  .add("QUIT", { arity: -1, flags: ["noauth"] }, quit)
  .add("AUTH", { arity: -2, flags: ["noauth"] }, auth)
  .add("HELLO", { arity: -1, flags: ["noauth"] }, hello)
  .add("SELECT", { arity: 2 }, select)
  .add("CLIENT", { arity: -2 }, client)
  .add("MULTI", { arity: 1, flags: ["notInMulti"] }, multi)
  .add("WATCH", { arity: -2, flags: ["notInMulti"] }, (call) => call.reply.ok())
  .add("UNWATCH", { arity: 1 }, (call) => call.reply.ok())
  .add("ACL", { arity: -2, flags: ["admin"] }, acl).commands;

function ping(call: Call, args: readonly Buffer[]): void {
  if (args.length > 1) call.reply.bulk(args[1]);
  else call.reply.simple("PONG");
}

function quit(call: Call): void {
  call.reply.ok();
  call.master.closeAfterReply(call.state);
}

function auth(call: Call, args: readonly Buffer[]): void {
  if (args.length > 3) throw syntaxError();
  const name = args.length === 3 ? text(args[1]) : "default";
  call.state.user = call.master.users.authenticate(name, text(args.at(-1)));
  call.reply.ok();
}

/** HELLO 3 is granted in words only: replies stay those of RESP2. */
function hello(call: Call, args: readonly Buffer[]): void {
  const { state, reply, master } = call;
  const version = args.length > 1 ? text(args[1]) : String(state.protocol);
  if (version !== "2" && version !== "3") throw new CommandError("NOPROTO unsupported protocol version");
  for (let i = 2; i < args.length;) {
    const option = word(args[i]);
    if (option === "AUTH" && i + 2 < args.length) {
      state.user = master.users.authenticate(text(args[i + 1]), text(args[i + 2]));
      i += 3;
    } else if (option === "SETNAME" && i + 1 < args.length) {
      state.name = text(args[i + 1]);
      i += 2;
    } else throw syntaxError();
  }
  if (state.user === undefined) {
    throw new CommandError(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
    );
  }
  state.protocol = version === "3" ? 3 : 2;
  reply.raw(version === "3" ? "%7\r\n" : "*14\r\n");
  for (const bulk of ["server", "redis", "version", "7.4.0", "dragonfly_version", master.dragonflyVersion, "proto"])
    reply.bulk(bulk);
  reply.integer(state.protocol);
  reply.bulk("id");
  reply.integer(state.id);
  for (const bulk of ["mode", "standalone", "role", "master"]) reply.bulk(bulk);
}

function select(call: Call, args: readonly Buffer[]): void {
  const db = integer(args[1], "ERR invalid DB index");
  if (db < 0 || db >= DATABASES) throw new CommandError(DB_OUT_OF_RANGE);
  call.state.db = db;
  call.reply.ok();
}

function multi(call: Call): void {
  call.state.queue = [];
  call.state.queueBroken = false;
  call.reply.ok();
}

function client(call: Call, args: readonly Buffer[]): void {
  const { state, reply } = call;
  const subcommand = word(args[1]);
  if (subcommand === "SETNAME" && args.length === 3) {
    state.name = text(args[2]);
    reply.ok();
  } else if (subcommand === "GETNAME" && args.length === 2) reply.bulk(state.name === "" ? undefined : state.name);
  else if (subcommand === "ID" && args.length === 2) reply.integer(state.id);
  else if (subcommand === "LIST" && args.length === 2) reply.bulk(clientList(call));
  else if (subcommand === "PAUSE" && args.length >= 3) pause(call, args);
  else if (subcommand === "UNPAUSE" && args.length === 2 && !isOldVersion(call.master.dragonflyVersion)) {
    call.master.pause.end();
    reply.ok();
  } else if (subcommand === "SETINFO" && args.length === 4) setInfo(call, args);
  else throw unknownSubcommand(text(args[1]), "CLIENT");
}

function setInfo(call: Call, args: readonly Buffer[]): void {
  const option = word(args[2]);
  if (option === "LIB-NAME") call.state.libName = text(args[3]);
  else if (option === "LIB-VER") call.state.libVersion = text(args[3]);
  else throw syntaxError();
  call.reply.ok();
}

function pause(call: Call, args: readonly Buffer[]): void {
  const forMs = integer(args[2]);
  const mode = args.length > 3 ? word(args[3]) : "ALL";
  if (forMs < 0) throw new CommandError(MUST_BE_POSITIVE);
  if (mode !== "WRITE" && mode !== "ALL") throw syntaxError();
  call.master.pause.start(mode, forMs);
  call.reply.ok();
}

function clientList(call: Call): string {
  return call.master
    .clients()
    .map((info) => clientLine(call, info))
    .join("");
}

function clientLine(call: Call, info: ClientInfo): string {
  const { state } = info;
  const nowMs = call.nowMs;
  const counts = `tot-cmds=${info.requests} tot-net-in=${info.readBytes} tot-read-calls=${info.reads} tot-dispatches=0 `;
  const phase = state === call.state ? "process" : "readsock";
  return [
    `id=${state.id} addr=${info.remoteAddress}:${info.remotePort} laddr=${info.remoteAddress}:${call.master.port} fd=${state.id} `,
    `name=${info.shownName} tid=0 irqmatch=1 age=${seconds(nowMs - info.connectedAtMs)} idle=${seconds(nowMs - info.lastRequestMs)} `,
    isOldVersion(call.master.dragonflyVersion) ? "" : counts,
    `db=${state.db} phase=${phase} lib-name=${state.libName} lib-ver=${state.libVersion}\n`,
  ].join("");
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}

function acl(call: Call, args: readonly Buffer[]): void {
  const subcommand = word(args[1]);
  if (subcommand === "WHOAMI" && args.length === 2) call.reply.bulk(`User is ${call.state.user?.name ?? "default"}`);
  else if (subcommand === "SETUSER" && args.length >= 3) {
    const rules = args.slice(3).map((rule) => text(rule));
    call.master.users.setUser(text(arg(args, 2)), rules);
    call.reply.ok();
  } else throw unknownSubcommand(text(args[1]), "ACL");
}
