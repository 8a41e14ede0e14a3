/**
 * Journal entries of features that a plain Redis lacks, by the run's plan: search and scripts (docs/features.md). JSON has a module of its own, TTLs of members,
 * too. Pure.
 */
import { Slice } from "../../bytes/slice.ts";
import type { JournalCommand } from "../../journal/journal-command.ts";
import type { JournalContext, Rewrite } from "./journal-context.ts";
import { passEntry } from "./journal-words.ts";
import { refuseFeature } from "./refuse-feature.ts";
import { encodeScriptLoad } from "./script-load.ts";
import { encodeCreateIndex } from "./search-definition.ts";

/** A key with a place of its own in memory (`STICK`): carried as a usual key. */
export function reportSticky({ plan, losses }: JournalContext, db: number, key: Slice): void {
  if (plan.sticky === "fail") refuseFeature("sticky", db, key);
  losses.record("sticky", db, key);
}

/** `STICK key…`. */
export const rewriteStick: Rewrite = (context, command) => {
  for (let i = 1; i < command.argc; i++) reportSticky(context, command.db, command.arg(i));
};

/** `SCRIPT LOAD body` adds a script; it is journaled on one flow. `SCRIPT FLAGS sha …` and `SCRIPT FLUSH` change nothing that was carried. */
export const rewriteScript: Rewrite = ({ plan, encoder, losses }, command) => {
  if (!command.arg(1).equalsIgnoreCase("LOAD") || command.argc < 3) return;
  if (plan.lua === "fail") refuseFeature("lua", -1, command.arg(1));
  if (plan.lua === "native") encodeScriptLoad(encoder, command.arg(2));
  else losses.record("lua", -1, command.arg(1));
};

/** `FT.CREATE index …`, `FT.ALTER index SCHEMA ADD …`, `FT.SYNUPDATE index group term…`: journaled on every flow, run once. */
const search =
  (run: (context: JournalContext, command: JournalCommand) => void): Rewrite =>
  (context, command) => {
    const { plan, losses, carriesGlobals } = context;
    if (!carriesGlobals) return;
    if (plan.search === "fail") refuseFeature("search", command.db, command.arg(1));
    if (plan.search === "native") run(context, command);
    else losses.record("search", command.db, command.arg(1));
  };

export const rewriteFtCreate = search(({ encoder, capabilities }, command) => {
  const words = Array.from({ length: command.argc - 1 }, (_, i) => new Slice().copyFrom(command.arg(i + 1)));
  encodeCreateIndex(encoder, words, capabilities.commands.has("EVAL"));
});

export const rewriteFtChange = search(({ encoder }, command) => passEntry(encoder, command));

const dropIndex = search(({ encoder }, command) => {
  encoder.begin(2);
  encoder.argText("FT.DROPINDEX");
  encoder.arg(command.arg(1));
});

/**
 * `FT.DROPINDEX index [DD]`. DD deletes the documents, each shard its own, and journals none of them (Dragonfly
 * src/server/search/search_family.cc CmdFtDropIndex). The target's DD would run on one flow and delete what other flows have written since.
 */
export const rewriteFtDropIndex: Rewrite = (context, command) => {
  dropIndex(context, command);
  if (!context.carriesGlobals || !command.arg(2).equalsIgnoreCase("DD")) return;
  context.unrunnable(
    command,
    "FT.DROPINDEX … DD also deleted the index's documents, which the source does not list: they were left",
  );
};
