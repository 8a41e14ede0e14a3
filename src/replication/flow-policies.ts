/** What stands before each flow's translation in one worker: the map of databases and the policy about the target's own keys. */
import { type DatabaseMap, databaseMap } from "../target/database-map.ts";
import { KeyMapper } from "../target/key-mapper.ts";
import type { LossRecorder } from "../target/losses.ts";
import { OwnedKeys } from "../target/owned-keys.ts";
import type { CommandEncoder } from "../resp/command-encoder.ts";
import { type ConflictGate, conflictGate, type UnderivableRecorder } from "./conflict-gate.ts";
import type { WorkerSettings } from "./worker-settings.ts";

export type GateParts = {
  readonly encoder: CommandEncoder;
  readonly losses: LossRecorder;
  readonly underivable: UnderivableRecorder;
};

export class FlowPolicies {
  readonly #settings: WorkerSettings;
  readonly #map: DatabaseMap | undefined;
  readonly #owned: OwnedKeys | undefined;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
    this.#map = databaseMap(settings.databases);
    this.#owned = settings.conflict === undefined ? undefined : OwnedKeys.attach(settings.conflict.owned);
  }

  mapper(): KeyMapper | undefined {
    const { guardLimitBytes, flows } = this.#settings;
    if (this.#map === undefined) return undefined;
    return new KeyMapper({ map: this.#map, guardLimitBytes: Math.floor(guardLimitBytes / flows) });
  }

  gate(parts: GateParts): ConflictGate | undefined {
    const { conflict } = this.#settings;
    if (conflict === undefined || this.#owned === undefined) return undefined;
    return conflictGate(conflict.policy, { ...parts, owned: this.#owned });
  }
}
