/**
 * The sweep (I8): after a full copy into a target that was not empty, deletes the keys that the target held before and that the source has neither
 * had at the cut nor written since. Those are the keys in `OwnedKeys` that nobody has claimed once every flow has applied its snapshot; not
 * before, or keys whose object is still on the way would be taken for such. Keys that came to the target later are not in the table and stay, and
 * so do those of df2redis itself.
 *
 * Has two connections of its own: one to SCAN, one to delete. May run again after a failure: it goes by what is there.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Slice } from "../bytes/slice.ts";
import { Conversation } from "../net/conversation.ts";
import { abortedError } from "../net/socket-errors.ts";
import { keyText } from "../observability/key-text.ts";
import type { OwnedKeys } from "./owned-keys.ts";
import { type KeyPage, scanKeys, type ScanKeysOptions } from "./scan-keys.ts";
import { UnclaimedDeleter } from "./unclaimed-deleter.ts";

const PAGE_KEYS = 1000;
const SAMPLES = 10;

export type SweepSample = { readonly db: number; readonly key: string };

export type SweepProgress = {
  /** Keys that the sweep has looked at. */
  readonly looked: number;
  /** Of these, keys that the target held before the run and the source does not have. */
  readonly found: number;
  /** 0 in a dry run. */
  readonly deleted: number;
  /** Found, but other clients of the target wrote to them whenever the sweep tried to delete them. */
  readonly kept: number;
};

export type SweepResult = SweepProgress & {
  /** Some of the found. */
  readonly samples: readonly SweepSample[];
  readonly keptSamples: readonly SweepSample[];
};

export type SweepOptions = Omit<ScanKeysOptions, "pageKeys"> & {
  readonly owned: OwnedKeys;
  readonly mode: "on" | "dry-run";
  /** Most keys to look at in a second. */
  readonly keysPerSecond: number;
  /** After every page. */
  onProgress?(progress: SweepProgress): void;
  /** Both for tests. */
  readonly nowMs?: () => number;
  readonly pause?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
};

/** @throws what `scanKeys` throws; what was deleted until then stays deleted */
export async function sweepTarget(options: SweepOptions): Promise<SweepResult> {
  if (options.mode === "dry-run") return await new Sweep(options, undefined).run();
  const conversation = await Conversation.open(options.endpoint, { ...options, role: "target" });
  try {
    return await new Sweep(options, new UnclaimedDeleter(conversation, options.owned)).run();
  } finally {
    conversation.close();
  }
}

class Sweep {
  readonly #options: SweepOptions;
  readonly #deleter: UnclaimedDeleter | undefined;
  readonly #slice = new Slice();
  readonly #samples: SweepSample[] = [];
  readonly #keptSamples: SweepSample[] = [];
  #looked = 0;
  #found = 0;
  #deleted = 0;
  #kept = 0;

  constructor(options: SweepOptions, deleter: UnclaimedDeleter | undefined) {
    this.#options = options;
    this.#deleter = deleter;
  }

  async run(): Promise<SweepResult> {
    const { keysPerSecond } = this.#options;
    const nowMs = this.#options.nowMs ?? monotonicMs;
    const startedMs = nowMs();
    // A slow sweep goes in small steps, not in one large step after a long pause.
    const pageKeys = Math.max(1, Math.min(PAGE_KEYS, Math.ceil(keysPerSecond / 10)));
    for await (const page of scanKeys({ ...this.#options, pageKeys })) {
      await this.#look(page);
      this.#options.onProgress?.(this.#progress());
      await this.#pause(startedMs + (this.#looked / keysPerSecond) * 1000 - nowMs());
    }
    return { ...this.#progress(), samples: this.#samples, keptSamples: this.#keptSamples };
  }

  async #look({ db, keys, looked }: KeyPage): Promise<void> {
    this.#looked += looked;
    const found = keys.filter((key) => this.#isSurplus(db, key));
    if (found.length === 0) return;
    if (this.#deleter === undefined) return this.#noteFound(db, found);
    const { deleted, unlinked, kept } = await this.#deleter.delete(db, found);
    this.#noteFound(db, unlinked);
    this.#noteFound(db, kept);
    this.#deleted += deleted;
    this.#kept += kept.length;
    for (const key of kept) keepSample(this.#keptSamples, db, key);
  }

  #noteFound(db: number, keys: readonly Buffer[]): void {
    this.#found += keys.length;
    for (const key of keys) keepSample(this.#samples, db, key);
  }

  #isSurplus(db: number, key: Buffer): boolean {
    const { owned } = this.#options;
    const slice = this.#slice.set(key, 0, key.length);
    return this.#deleter === undefined ? owned.list(db, slice) : owned.isUnclaimed(db, slice);
  }

  #progress(): SweepProgress {
    return { looked: this.#looked, found: this.#found, deleted: this.#deleted, kept: this.#kept };
  }

  async #pause(ms: number): Promise<void> {
    const { signal, endpoint, pause = pauseFor } = this.#options;
    if (ms < 1) return;
    try {
      await pause(ms, signal);
    } catch {
      throw abortedError({ endpoint, role: "target" }, signal?.reason);
    }
  }
}

function monotonicMs(): number {
  return performance.now();
}

async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal });
}

function keepSample(samples: SweepSample[], db: number, key: Buffer): void {
  if (samples.length < SAMPLES) samples.push({ db, key: keyText(key) });
}
