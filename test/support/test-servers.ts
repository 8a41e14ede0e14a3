/**
 * The servers that the suites over every target run on: those of `DF2REDIS_TEST_SERVERS="redis-7.4=/path/redis-server,valkey-9=/path/valkey-server"`,
 * or, without it, those on PATH. What each is, it says itself (`--version`).
 */
import { execFileSync } from "node:child_process";
import { isOnPath } from "./bound-process.ts";

export type TestServer = {
  /** For test names and messages, e.g. "redis-7.4". */
  readonly name: string;
  /** Program that starts it. */
  readonly path: string;
  readonly product: "redis" | "valkey" | "keydb";
  readonly version: string;
};

export const TEST_SERVERS_VARIABLE = "DF2REDIS_TEST_SERVERS";

const PROGRAMS = ["redis-server", "valkey-server", "keydb-server"];

/** Throws with the variable's name when it cannot be read, or names a program that does not run. */
export function testServers(environment: NodeJS.ProcessEnv = process.env): TestServer[] {
  const list = environment[TEST_SERVERS_VARIABLE] ?? "";
  const servers =
    list.trim() === "" ? serversOnPath() : parseServerList(list).map(({ name, path }) => look(path, name));
  if (servers.length === 0)
    throw new Error(`there is no server to test with: install redis-server or set ${TEST_SERVERS_VARIABLE}`);
  return servers;
}

/** `name=path` pairs; a path may hold "=". */
export function parseServerList(list: string): { readonly name: string; readonly path: string }[] {
  const pairs = list
    .split(",")
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=");
      if (at <= 0 || at === pair.length - 1)
        throw new Error(`${TEST_SERVERS_VARIABLE} holds "${pair}", which is no name=path`);
      return { name: pair.slice(0, at).trim(), path: pair.slice(at + 1).trim() };
    });
  const names = new Set(pairs.map(({ name }) => name));
  if (names.size < pairs.length) throw new Error(`${TEST_SERVERS_VARIABLE} holds one name twice`);
  return pairs;
}

/** What a server says with `--version`, e.g. `Redis server v=7.0.15 sha=…`, `Valkey server v=8.0.1 …`. */
export function parseServerVersion(text: string): Pick<TestServer, "product" | "version"> | undefined {
  const match = /^(Redis|Valkey|KeyDB) server v=(\d+\.\d+\.\d+)/i.exec(text.trim());
  const product = match?.[1]?.toLowerCase();
  if (product !== "redis" && product !== "valkey" && product !== "keydb") return undefined;
  return { product, version: match?.[2] ?? "" };
}

/** Debian's valkey may come with a `redis-server` that is a link to it: one server is listed once. */
function serversOnPath(): TestServer[] {
  const found = PROGRAMS.filter(isOnPath).map((program) => look(program));
  return found.filter((server, i) => found.findIndex((other) => other.name === server.name) === i);
}

function look(path: string, name?: string): TestServer {
  const text = execFileSync(path, ["--version"], { encoding: "utf8" });
  const said = parseServerVersion(text);
  if (said === undefined) throw new Error(`${path} --version says "${text.trim()}", which is no server known here`);
  return { name: name ?? `${said.product}-${said.version}`, path, ...said };
}
