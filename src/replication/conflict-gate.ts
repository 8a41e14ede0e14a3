/**
 * Stands before a flow's writes when the target was not empty, and does what `conflict.policy` says about keys that the target held before the run. In
 * terms of the target: databases are mapped and prefixes put on before. One per flow, called in the flow's order; all gates share one `OwnedKeys`.
 * Keeps nothing of what it is given.
 *
 * A key belongs to one shard of the source and so to one flow: the flow that claims a key is the one that writes it.
 */
import type { ConflictPolicy } from "../config/schema.ts";
import type { JournalCommand } from "../journal/journal-command.ts";
import type { ObjectHeader } from "../rdb/rdb-handler.ts";
import type { CommandEncoder } from "../resp/command-encoder.ts";
import type { LossRecorder } from "../target/losses.ts";
import type { OwnedKeys } from "../target/owned-keys.ts";
import type { MovedKey } from "../target/translate/move-key.ts";
import { OverwriteGate } from "./overwrite-gate.ts";
import { PanicGate } from "./panic-gate.ts";
import { SkipGate } from "./skip-gate.ts";

export type ConflictGate = {
  /** An object of the snapshot. "skip": nothing of it is to be written. @throws KEY_CONFLICT */
  object(header: Pick<ObjectHeader, "db" | "key">): "write" | "skip";
  /**
   * An entry of the journal. Returns it, or what is left of it (reused by the next call), or undefined when nothing is to be written.
   * @throws KEY_CONFLICT
   */
  command(command: JournalCommand): JournalCommand | undefined;
  /**
   * A MOVE that the databases' map turned into one to another database and another name (`KeyMapper`): instead of `command`. The entry itself is for
   * messages only. @throws KEY_CONFLICT
   */
  moved(moved: MovedKey, entry: JournalCommand): "write" | "skip";
};

/** An entry whose result depends on a key that is the target's own here and another one on the source. `why` has no values in it. */
export type UnderivableRecorder = (command: JournalCommand, why: string) => void;

export type ConflictGateOptions = {
  readonly owned: OwnedKeys;
  /** Of the flow's writer: what the gate adds goes before the entry. */
  readonly encoder: CommandEncoder;
  readonly losses: LossRecorder;
  /** Told instead of the entry being returned; a refused write, as the configuration deals with those. */
  readonly underivable: UnderivableRecorder;
};

export function conflictGate(policy: ConflictPolicy, options: ConflictGateOptions): ConflictGate {
  switch (policy) {
    case "overwrite":
      return new OverwriteGate(options);
    case "skip":
      return new SkipGate(options);
    case "panic":
      return new PanicGate(options);
  }
}
