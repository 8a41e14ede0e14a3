/**
 * The border between the live simulator's client side (server, keys, commands) and its replication side (handshake, flows, journal). The server
 * hands every `REPLCONF …` and `DFLY …` to the handler, asks it before a write and tells it of closed connections. Everything is synchronous
 * and in one thread: a handler may answer later, but then the connection answers nothing else before it (`suspend`).
 */
import type { Socket } from "node:net";
import type { Shard } from "./shard.ts";

/** One client's connection as a handler sees it. */
export type ClientConnection = {
  readonly id: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly closed: boolean;
  /** Raw bytes of a reply, or of a flow. Text is written as latin1. */
  write(bytes: Buffer | string): void;
  /** `+text`. */
  simple(text: string): void;
  /** `-text`, the kind of error included ("ERR syntax error"). */
  error(text: string): void;
  integer(value: number): void;
  bulk(value: Buffer | string | undefined): void;
  /** The head of an array; `count` replies follow. */
  arrayHead(count: number): void;
  /** No further request of this connection runs until the function that comes back is called; for answers that come later (DFLY TAKEOVER). */
  suspend(): () => void;
  /** Closes after what was written has been sent. */
  close(): void;
  /** Resets at once. */
  destroy(): void;
  /**
   * The connection leaves the command loop: what was replied so far is sent first, from now on the caller owns the socket's writing side. The server
   * goes on cutting requests from the reading side, also those that came already, and gives each to `onRequest` (`REPLCONF ACK …`) in place of running it.
   */
  takeOver(onRequest: (args: readonly Buffer[]) => void): Socket;
  /** Facts for CLIENT LIST and for the handler's own use, e.g. to find the session of a connection. */
  readonly attributes: Map<string, unknown>;
};

/** What the replication side can use of the master. */
export type MasterCore = {
  readonly shards: readonly Shard[];
  /** As in INFO SERVER: "df-v1.40.1". */
  readonly dragonflyVersion: string;
  /** Unix ms; injected. */
  readonly nowMs: () => number;
  /** A flag as CONFIG GET shows it ("replication_timeout" → "30000"); undefined when there is none. CONFIG SET changes it. */
  config(name: string): string | undefined;
  /** Run whenever CONFIG SET has changed a flag. */
  onConfigChange(listener: (name: string, value: string) => void): void;
  /** A number for one transaction's journal entries, rising, never 0. */
  nextTxid(): number;
  /** Ends the server as SHUTDOWN does (after DFLY TAKEOVER). Safe to call again. */
  shutdown(): void;
};

/** One replica as ROLE and INFO show it. */
export type ReplicaStatus = {
  readonly address: string;
  readonly listeningPort: number;
  /** "preparation", "full_sync", "online" …, as this version words it. */
  readonly state: string;
  readonly lag: number;
};

export type ReplicationHandler = {
  /** A request whose name is REPLCONF or DFLY, after authentication; `args[0]` is the name. It replies itself. False: unknown command, the server says so. */
  handle(connection: ClientConnection, args: readonly Buffer[]): boolean;
  /** In the order they joined; for ROLE and `connected_slaves`. */
  replicas(): readonly ReplicaStatus[];
  /** Section "Replication" of INFO without its headline: `role:master\r\nconnected_slaves:…\r\n…`, CRLF behind each line. */
  infoReplication(): string;
  /** Any connection that ever gave a request to `handle`, flows included. */
  onConnectionClosed(connection: ClientConnection): void;
  /** True while the output limit makes writing clients wait. */
  writesBlocked(): boolean;
  /** `resume` is called once when writes may go on. */
  whenWritable(resume: () => void): void;
  /** A reply such as "-ERR …" text (without "-") with which commands of clients are refused (a takeover in progress), undefined normally. */
  refusal(args: readonly Buffer[]): string | undefined;
  /** The server stops: close flows, end timers. */
  stop(): void;
};

/** Made once per master, before it listens. It hooks itself into `core.shards` (`onRecord`, `watchers`). */
export type ReplicationFactory = (core: MasterCore) => ReplicationHandler;
