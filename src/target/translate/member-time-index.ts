/**
 * Members with deadlines by the second in which they are due: a bucket per second, and a heap of those seconds. Adding and removing cost a few
 * steps, and finding what is due costs nothing while nothing is. Keeps no bytes of callers.
 */

/** What the index keeps in a member: where it stands. */
export type Timed = {
  /** Unix seconds. */
  second: number;
  /** Its place in its bucket; the index's own. */
  slot: number;
};

export class MemberTimeIndex<T extends Timed> {
  readonly #buckets = new Map<number, T[]>();
  /** A binary heap, the smallest first. Every bucket's second is in it once; buckets may have become empty. */
  #seconds: number[] = [];

  add(item: T): void {
    let bucket = this.#buckets.get(item.second);
    if (bucket === undefined) {
      this.#buckets.set(item.second, (bucket = []));
      this.#push(item.second);
    }
    item.slot = bucket.length;
    bucket.push(item);
  }

  remove(item: T): void {
    const bucket = this.#buckets.get(item.second);
    const last = bucket?.pop();
    if (bucket === undefined || last === undefined || last === item) return;
    bucket[item.slot] = last;
    last.slot = item.slot;
  }

  /** Takes out the items of the earliest second that is not after `second`. Undefined when there are none. */
  takeUpTo(second: number): readonly T[] | undefined {
    for (;;) {
      const first = this.#seconds[0];
      if (first === undefined || first > second) return undefined;
      this.#pop();
      const bucket = this.#buckets.get(first);
      this.#buckets.delete(first);
      if (bucket !== undefined && bucket.length > 0) return bucket;
    }
  }

  clear(): void {
    this.#buckets.clear();
    this.#seconds = [];
  }

  #push(second: number): void {
    const heap = this.#seconds;
    let at = heap.length;
    heap.push(second);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] ?? 0;
      if (above <= second) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = second;
  }

  #pop(): void {
    const heap = this.#seconds;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if ((heap[child + 1] ?? Number.POSITIVE_INFINITY) < (heap[child] ?? 0)) child++;
      const below = heap[child] ?? 0;
      if (below >= last) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}
