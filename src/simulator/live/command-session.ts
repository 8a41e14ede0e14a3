/**
 * Runs the requests of one client in order: who may run what, MULTI and EXEC, and the errors in between. Sans-IO: replies go to its writer. REPLCONF and
 * DFLY are not among its commands.
 */
import { Call } from "./call.ts";
import type { ClientState } from "./client-state.ts";
import type { Command } from "./command.ts";
import { CommandError, unknownCommand, wrongArity } from "./command-error.ts";
import { findCommand } from "./command-table.ts";
import type { MasterServices } from "./master-services.ts";
import { ReplyWriter } from "./reply-writer.ts";

const NOT_AUTHENTICATED = "NOAUTH Authentication required.";
const REPLICATION = { categories: ["admin", "dangerous", "replication"] } as const;

export class CommandSession {
  readonly reply = new ReplyWriter();
  readonly state: ClientState;
  readonly #call: Call;
  readonly #master: MasterServices;

  constructor(master: MasterServices, id: number) {
    this.#master = master;
    this.state = {
      id,
      db: 0,
      name: "",
      user: master.users.initial,
      queue: undefined,
      queueBroken: false,
      protocol: 2,
      libName: "",
      libVersion: "",
    };
    this.#call = new Call({ reply: this.reply, master, state: this.state });
  }

  /** Whether the request would change keys now; one that is only queued does not. */
  writes(args: readonly Buffer[]): boolean {
    const command = commandOf(args);
    const { queue } = this.state;
    if (queue === undefined) return command?.flags.has("write") === true;
    return nameOf(args) === "EXEC" && queue.some((queued) => commandOf(queued)?.flags.has("write") === true);
  }

  /** Why a request of the replication side may not run; the error is then written. */
  refusesReplication(name: string): boolean {
    const error = this.#accessError({ name, ...REPLICATION });
    if (error !== undefined) this.reply.error(error);
    return error !== undefined;
  }

  execute(args: Buffer[]): void {
    const name = nameOf(args);
    if (name === "EXEC" || name === "DISCARD") {
      this.#finishTransaction(name);
      return;
    }
    const command = findCommand(name);
    const error = this.#error(command, args);
    if (error !== undefined || command === undefined) {
      if (this.state.queue !== undefined) this.state.queueBroken = true;
      this.reply.error(error ?? unknownCommand(name));
    } else if (this.state.queue === undefined) this.#run(command, args);
    else {
      this.state.queue.push(args);
      this.reply.simple("QUEUED");
    }
  }

  #error(command: Command | undefined, args: readonly Buffer[]): string | undefined {
    const anonymous = this.state.user === undefined;
    if (command === undefined) return anonymous ? NOT_AUTHENTICATED : unknownCommand(nameOf(args));
    const wrongCount = command.arity > 0 ? args.length !== command.arity : args.length < -command.arity;
    if (anonymous && !command.flags.has("noauth")) return NOT_AUTHENTICATED;
    if (wrongCount) return wrongArity(command.name);
    if (this.state.queue !== undefined && command.flags.has("notInMulti"))
      return `ERR '${command.name}' not allowed inside a transaction`;
    return command.flags.has("noauth") ? undefined : this.#accessError(command);
  }

  #accessError(command: { readonly name: string; readonly categories: readonly string[] }): string | undefined {
    const { user } = this.state;
    if (user === undefined) return NOT_AUTHENTICATED;
    return user.mayRun(command) ? undefined : `NOPERM ${user.name} has no ACL permissions`;
  }

  #run(command: Command, args: Buffer[]): void {
    args[0] = command.nameBytes;
    this.#call.reset();
    try {
      command.run(this.#call, args);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.reply.error(error.reply);
    }
  }

  #finishTransaction(name: "EXEC" | "DISCARD"): void {
    const { queue, queueBroken, user } = this.state;
    this.state.queue = undefined;
    this.state.queueBroken = false;
    if (user === undefined) this.reply.error(NOT_AUTHENTICATED);
    else if (queue === undefined) this.reply.error(`ERR ${name} without MULTI`);
    else if (name === "DISCARD") this.reply.ok();
    else if (queueBroken) this.reply.error("EXECABORT Transaction discarded because of previous errors.");
    else this.#runTransaction(queue);
  }

  /** All of it in this turn; what it journals carries one transaction's number. */
  #runTransaction(queue: readonly Buffer[][]): void {
    const call = this.#call;
    this.reply.arrayHead(queue.length);
    call.execTxid = this.#master.keyspace.nextTxid();
    for (const args of queue) {
      const command = commandOf(args);
      if (command !== undefined) this.#run(command, args);
    }
    call.execTxid = 0;
  }
}

/** The name in upper case. */
export function nameOf(args: readonly Buffer[]): string {
  const [first] = args;
  return first === undefined ? "" : first.toString("latin1").toUpperCase();
}

function commandOf(args: readonly Buffer[]): Command | undefined {
  return findCommand(nameOf(args));
}
