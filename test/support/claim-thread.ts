/** A thread that claims numbered keys as fast as it can, for the tests of `OwnedKeys`. Says which ones it won. */
import { parentPort, workerData } from "node:worker_threads";
import { Slice } from "../../src/bytes/slice.ts";
import { OwnedKeys, type SharedOwnedKeys } from "../../src/target/owned-keys.ts";

export type ClaimThreadData = {
  readonly shared: SharedOwnedKeys;
  readonly keys: number;
  readonly threads: number;
  /** Two 32-bit words, 0 at first: how many threads are ready. All begin when all are. */
  readonly start: SharedArrayBuffer;
};

const { shared, keys, threads, start } = workerData as ClaimThreadData;
const owned = OwnedKeys.attach(shared);
const ready = new Int32Array(start);
const slices = Array.from({ length: keys }, (_, i) => Slice.from(`key:${i}`));

if (Atomics.add(ready, 0, 1) + 1 === threads) {
  Atomics.store(ready, 1, 1);
  Atomics.notify(ready, 1);
}
Atomics.wait(ready, 1, 0);

const won: number[] = [];
for (const [i, key] of slices.entries()) if (owned.claim(i % 3, key)) won.push(i);
parentPort?.postMessage(won);
