/** Every command that the simulated master knows, by its upper-case name. */
import type { Command } from "./command.ts";
import { CONNECTION_COMMANDS } from "./commands/connection.ts";
import { HASH_COMMANDS } from "./commands/hashes.ts";
import { JSON_COMMANDS } from "./commands/json.ts";
import { KEY_COMMANDS } from "./commands/keys.ts";
import { LIST_COMMANDS } from "./commands/lists.ts";
import { MOVING_COMMANDS } from "./commands/moving-keys.ts";
import { serverCommands } from "./commands/server.ts";
import { SET_COMMANDS } from "./commands/sets.ts";
import { SKETCH_COMMANDS } from "./commands/sketches.ts";
import { STREAM_COMMANDS } from "./commands/streams.ts";
import { STREAM_GROUP_COMMANDS } from "./commands/stream-groups.ts";
import { STRING_COMMANDS } from "./commands/strings.ts";
import { ZSET_STORE_COMMANDS } from "./commands/zset-stores.ts";
import { ZSET_COMMANDS } from "./commands/zsets.ts";

const BY_NAME: ReadonlyMap<string, Command> = new Map(
  [
    ...STRING_COMMANDS,
    ...KEY_COMMANDS,
    ...MOVING_COMMANDS,
    ...HASH_COMMANDS,
    ...LIST_COMMANDS,
    ...SET_COMMANDS,
    ...ZSET_COMMANDS,
    ...ZSET_STORE_COMMANDS,
    ...STREAM_COMMANDS,
    ...STREAM_GROUP_COMMANDS,
    ...JSON_COMMANDS,
    ...SKETCH_COMMANDS,
    ...CONNECTION_COMMANDS,
    ...serverCommands((name) => findCommand(name)),
  ].map((command) => [command.name, command]),
);

export function findCommand(upperCaseName: string): Command | undefined {
  return BY_NAME.get(upperCaseName);
}
