/**
 * A live Dragonfly master for tests, benchmarks and the demo: a RESP2 server whose keys clients can write, and whose replication side is plugged in
 * (replication-handler.ts). It behaves like a real one as far as the recordings go, and is never part of the product's data path.
 */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Df2RedisError } from "../../errors/df2redis-error.ts";
import { type AclUserOptions, AclUsers } from "./acl.ts";
import { ClientPause } from "./client-pause.ts";
import type { ClientState } from "./client-state.ts";
import { Keyspace } from "./keyspace.ts";
import { LiveConnection } from "./live-connection.ts";
import type { ClientInfo, MasterServices } from "./master-services.ts";
import { NO_REPLICATION } from "./no-replication.ts";
import { dumpValue } from "./replication/dump-value.ts";
import { rdbProfile } from "./replication/rdb-profile.ts";
import type { MasterCore, ReplicationFactory, ReplicationHandler } from "./replication-handler.ts";
import { Settings } from "./settings.ts";
import type { Shard } from "./shard.ts";

export type LiveMasterOptions = {
  /** 1 to 1024. */
  readonly shards: number;
  /** 0 or undefined: a free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** The password of the user `default`. */
  readonly requirepass?: string;
  readonly users?: readonly AclUserOptions[];
  /** PEM. With `ca`, clients must show a certificate that it signed. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string };
  /** As INFO SERVER shows it. Default "df-v1.40.1". */
  readonly dragonflyVersion?: string;
  /** Flags by name, also those that CONFIG GET does not show: `shard_repl_backlog_len`, `compression_mode`, `replication_timeout`, … */
  readonly flags?: Readonly<Record<string, string>>;
  readonly replication?: ReplicationFactory;
  readonly nowMs?: () => number;
  /** How often expired keys are looked for; 0: only when they are met or `expireDue` is called. Default 10. */
  readonly expireCycleMs?: number;
};

const MAX_SHARDS = 1024;
const DEFAULT_EXPIRE_CYCLE_MS = 10;

export async function startLiveMaster(options: LiveMasterOptions): Promise<LiveMaster> {
  const master = new LiveMaster(options);
  await master.listen(options.port ?? 0, options.host ?? "127.0.0.1");
  return master;
}

export class LiveMaster implements MasterServices, MasterCore, AsyncDisposable {
  readonly keyspace: Keyspace;
  readonly settings: Settings;
  readonly users: AclUsers;
  readonly pause: ClientPause;
  readonly replication: ReplicationHandler;
  readonly dragonflyVersion: string;
  readonly startedAtMs: number;
  /** Resolves when the server has ended, by `stop` or by a command. */
  readonly stopped: Promise<void>;
  readonly #server: Server;
  readonly #connections = new Map<ClientState, LiveConnection>();
  readonly #expireTimer: NodeJS.Timeout | undefined;
  readonly #markStopped: () => void;
  #host = "";
  #lastClientId = 0;
  #stopping = false;

  constructor(options: LiveMasterOptions) {
    if (!(options.shards >= 1 && options.shards <= MAX_SHARDS))
      throw new Df2RedisError("USAGE", `A master has 1 to ${MAX_SHARDS} shards.`);
    const nowMs = options.nowMs ?? Date.now;
    this.dragonflyVersion = options.dragonflyVersion ?? "df-v1.40.1";
    this.settings = new Settings(options.flags ?? {}, this.dragonflyVersion);
    const profile = rdbProfile(this.dragonflyVersion);
    const lzf = this.settings.get("compression_mode") !== "0";
    this.keyspace = new Keyspace({
      shards: options.shards,
      nowMs,
      dump: (value) => dumpValue(value, { profile, lzf }),
    });
    this.users = new AclUsers({ requirepass: options.requirepass, users: options.users });
    this.pause = new ClientPause((paused) => {
      this.keyspace.expiryAllowed = !paused;
    });
    this.startedAtMs = nowMs();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.stopped = promise;
    this.#markStopped = resolve;
    this.replication = options.replication?.(this) ?? NO_REPLICATION;
    this.#server = makeServer(options.tls, (socket) => this.#accept(socket));
    this.#expireTimer = this.#startExpiry(options.expireCycleMs ?? DEFAULT_EXPIRE_CYCLE_MS);
  }

  get shards(): readonly Shard[] {
    return this.keyspace.shards;
  }

  get nowMs(): () => number {
    return this.keyspace.nowMs;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** `host:port` */
  get address(): string {
    return `${this.#host}:${this.port}`;
  }

  listen(port: number, host: string): Promise<void> {
    this.#host = host;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  config(name: string): string | undefined {
    return this.settings.get(name);
  }

  onConfigChange(listener: (name: string, value: string) => void): void {
    this.settings.onChange(listener);
  }

  nextTxid(): number {
    return this.keyspace.nextTxid();
  }

  clients(): readonly ClientInfo[] {
    return [...this.#connections.values()];
  }

  closeAfterReply(state: ClientState): void {
    const connection = this.#connections.get(state);
    setImmediate(() => connection?.close());
  }

  /** One turn of the active expiry, as the timer does it. */
  expireDue(): void {
    this.keyspace.expireDue();
  }

  shutdown(): void {
    void this.stop();
  }

  /** Closes every connection. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      clearInterval(this.#expireTimer);
      this.pause.end();
      this.replication.stop();
      this.#server.close(() => this.#markStopped());
      for (const connection of this.#connections.values()) connection.close();
      // Clients that do not close their side are not waited for.
      setImmediate(() => {
        for (const connection of this.#connections.values()) connection.destroy();
      });
    }
    await this.stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #startExpiry(everyMs: number): NodeJS.Timeout | undefined {
    return everyMs > 0 ? setInterval(() => this.expireDue(), everyMs).unref() : undefined;
  }

  #accept(socket: Socket): void {
    this.#lastClientId += 1;
    const onClose = (closed: LiveConnection): void => void this.#connections.delete(closed.state);
    const connection = new LiveConnection(socket, { master: this, id: this.#lastClientId, onClose });
    this.#connections.set(connection.state, connection);
  }
}

function makeServer(tls: LiveMasterOptions["tls"], accept: (socket: Socket) => void): Server {
  if (tls === undefined) return createServer(accept);
  return createTlsServer(
    { ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: tls.ca !== undefined },
    accept,
  );
}
