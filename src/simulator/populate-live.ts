/** Gives a live master some keys of every type to begin with. */
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { CommandSession } from "./live/command-session.ts";
import type { LiveMaster } from "./live/server.ts";

/** What DEBUG POPULATE can make beside strings. */
const COLLECTIONS = ["LIST", "SET", "HASH", "ZSET", "JSON"] as const;
const VALUE_BYTES = 100;
const ELEMENTS = 5;
const COLLECTION_SHARE = 0.1;

export function populate(
  master: LiveMaster,
  options: { readonly keys: number; readonly password: string | undefined },
): void {
  if (options.keys === 0) return;
  const session = new CommandSession(master, 0);
  if (options.password !== undefined) run(session, "AUTH", options.password);
  const perCollection = Math.floor(options.keys * COLLECTION_SHARE);
  const strings = options.keys - COLLECTIONS.length * perCollection;
  run(session, "DEBUG", "POPULATE", strings, "string", VALUE_BYTES, "RAND");
  if (perCollection === 0) return;
  for (const type of COLLECTIONS)
    run(
      session,
      "DEBUG",
      "POPULATE",
      perCollection,
      type.toLowerCase(),
      VALUE_BYTES / ELEMENTS,
      "RAND",
      "TYPE",
      type,
      "ELEMENTS",
      ELEMENTS,
    );
}

function run(session: CommandSession, ...words: readonly (string | number)[]): void {
  session.execute(words.map((word) => Buffer.from(String(word))));
  let reply = "";
  session.reply.flush((part) => (reply += part.toString("latin1")));
  if (reply.startsWith("-"))
    throw new Df2RedisError("INTERNAL", `The simulated master refused ${words[0]}: ${reply.trim()}`);
}
