/**
 * Finds a command by the bytes of its name, letters without case, without making a string: it is asked once per journal entry.
 * Open addressing; a name's hash ignores bit 5, which is what differs between cases.
 */
import type { Slice } from "../../bytes/slice.ts";

type Slot<T> = { readonly name: string; readonly value: T };

export class CommandIndex<T> {
  readonly #slots: (Slot<T> | undefined)[];
  readonly #mask: number;

  /** @param entries upper-case names */
  constructor(entries: readonly (readonly [string, T])[]) {
    let size = 64;
    while (size < 4 * entries.length) size *= 2;
    this.#mask = size - 1;
    this.#slots = Array.from({ length: size }, () => undefined);
    for (const [name, value] of entries) this.#insert(name, value);
  }

  find(name: Slice): T | undefined {
    const { buf, start, end } = name;
    let hash = end - start;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + ((buf[i] ?? 0) & 0xdf)) | 0;
    for (let at = hash & this.#mask; ; at = (at + 1) & this.#mask) {
      const slot = this.#slots[at];
      if (slot === undefined) return undefined;
      if (name.equalsIgnoreCase(slot.name)) return slot.value;
    }
  }

  #insert(name: string, value: T): void {
    let hash = name.length;
    for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + (name.charCodeAt(i) & 0xdf)) | 0;
    let at = hash & this.#mask;
    while (this.#slots[at] !== undefined) at = (at + 1) & this.#mask;
    this.#slots[at] = { name, value };
  }
}
