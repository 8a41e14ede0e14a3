/**
 * The master's flags by name, as CONFIG GET shows them. Some are not shown there but can be given at the start, as on a real master's command line
 * (`shard_repl_backlog_len`, `compression_mode`, …).
 */
import { CommandError } from "./command-error.ts";
import { globMatcher } from "./glob.ts";
import { isOldVersion } from "./versions.ts";

/** Those that CONFIG GET shows, with their defaults. */
const SHOWN: Readonly<Record<string, string>> = {
  dbfilename: "dump-{timestamp}",
  dbnum: "16",
  dir: "",
  maxclients: "64000",
  maxmemory: "2147483648",
  notify_keyspace_events: "",
  replica_partial_sync: "true",
  replica_priority: "100",
  replication_timeout: "30000",
  requirepass: "",
  serialization_max_chunk_size: "65536",
  tcp_keepalive: "300",
  timeout: "0",
  tls: "false",
};

const READ_ONLY = new Set(["dbnum", "dir"]);

export class Settings {
  readonly #values: Map<string, string>;
  readonly #listeners: ((name: string, value: string) => void)[] = [];

  /** @param given what wins over the defaults of `dragonflyVersion` */
  constructor(given: Readonly<Record<string, string>>, dragonflyVersion: string) {
    const old = isOldVersion(dragonflyVersion) ? { maxmemory: "2.00GiB" } : {};
    this.#values = new Map(Object.entries({ ...SHOWN, ...old, ...given }));
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Name and value of each flag that CONFIG GET shows for the pattern. */
  shown(pattern: string): [string, string][] {
    const matches = globMatcher(pattern.toLowerCase());
    return Object.keys(SHOWN)
      .filter((name) => matches(name))
      .map((name) => [name, this.#values.get(name) ?? ""]);
  }

  /** CONFIG SET. */
  set(name: string, value: string): void {
    if (SHOWN[name] === undefined)
      throw new CommandError(`ERR Unknown option or number of arguments for CONFIG SET - '${name}'`);
    if (READ_ONLY.has(name))
      throw new CommandError(
        `ERR CONFIG SET failed (possibly related to argument '${name}') - can't set immutable config`,
      );
    this.#values.set(name, value);
    for (const listener of this.#listeners) listener(name, value);
  }

  onChange(listener: (name: string, value: string) => void): void {
    this.#listeners.push(listener);
  }
}
