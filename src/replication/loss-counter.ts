/** Counts what could not be carried, with a few samples of each kind. One per worker; the reports of all workers are added up at the end. */
import type { Slice } from "../bytes/slice.ts";
import { keyText } from "../observability/key-text.ts";
import { type LossKind, type LossRecorder, type LossReport, outcomeOf } from "../target/losses.ts";

const SAMPLES = 10;
/** Samples are taken from the first losses only, so that a hot key costs nothing later. */
const SAMPLED_COUNT = 1000;

type Sample = { readonly db: number; readonly key: string };
type Entry = { count: number; readonly samples: Sample[] };

export class LossCounter implements LossRecorder {
  readonly #entries = new Map<LossKind, Entry>();
  readonly #onFirst: (kind: LossKind, sample: Sample) => void;
  /** What is not in the target; what was converted or left out on purpose does not count. */
  lost = 0;

  /** @param onFirst called at the first loss of each kind */
  constructor(onFirst: (kind: LossKind, sample: Sample) => void) {
    this.#onFirst = onFirst;
  }

  record(kind: LossKind, db: number, key: Slice): void {
    if (outcomeOf(kind) === "lost") this.lost++;
    const entry = this.#entries.get(kind);
    if (entry === undefined) {
      const sample = { db, key: keyText(key.view()) };
      this.#entries.set(kind, { count: 1, samples: [sample] });
      this.#onFirst(kind, sample);
      return;
    }
    entry.count++;
    if (entry.samples.length < SAMPLES && entry.count <= SAMPLED_COUNT && isNew(entry, db, key))
      entry.samples.push({ db, key: keyText(key.view()) });
  }

  reports(): LossReport[] {
    return [...this.#entries].map(([kind, { count, samples }]) => ({ kind, count, samples }));
  }
}

/** The same key may lose something with every entry of the journal: one sample of it is enough. */
function isNew(entry: Entry, db: number, key: Slice): boolean {
  const text = keyText(key.view());
  return !entry.samples.some((sample) => sample.db === db && sample.key === text);
}

/** The sums of several workers' reports. */
export function mergeLosses(reports: readonly (readonly LossReport[])[]): LossReport[] {
  const merged = new Map<LossKind, { count: number; samples: Sample[] }>();
  for (const { kind, count, samples } of reports.flat()) {
    const entry = merged.get(kind) ?? { count: 0, samples: [] };
    entry.count += count;
    entry.samples = [...entry.samples, ...samples].slice(0, SAMPLES);
    merged.set(kind, entry);
  }
  return [...merged].map(([kind, { count, samples }]) => ({ kind, count, samples }));
}
