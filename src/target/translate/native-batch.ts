/**
 * Arguments of one variadic command, held in RESP form until there are enough of them: the count stands at a command's head, so it cannot go
 * out before its elements are known. Only one value has elements in here at any time (see `pieceEnd` in the RDB handler's contract).
 */
import type { Slice } from "../../bytes/slice.ts";
import { CommandEncoder } from "../../resp/command-encoder.ts";

const NOTHING = Buffer.alloc(0);

export class NativeBatch {
  readonly limitBytes: number;
  readonly #limitElements: number;
  /** Used for its encoding of arguments; its "commands" have no head. */
  readonly #held: CommandEncoder;
  #argc = 0;
  #elements = 0;

  constructor(limitBytes: number, limitElements: number) {
    this.limitBytes = limitBytes;
    this.#limitElements = limitElements;
    this.#held = new CommandEncoder(limitBytes + 4096);
  }

  get argc(): number {
    return this.#argc;
  }

  get isFull(): boolean {
    return this.#elements >= this.#limitElements || this.#held.byteLength >= this.limitBytes;
  }

  element(first: Slice, second: Slice | undefined): void {
    this.#start();
    this.#held.arg(first);
    this.#argc++;
    if (second !== undefined) {
      this.#held.arg(second);
      this.#argc++;
    }
    this.#elements++;
  }

  text(element: string): void {
    this.#start();
    this.#held.argText(element);
    this.#argc++;
    this.#elements++;
  }

  /** Moves all arguments to the command that was begun on `encoder`. */
  moveTo(encoder: CommandEncoder): void {
    const held = this.#held.take();
    if (held === undefined) return;
    encoder.encodedArgs(held.buf, 0, held.length);
    this.#held.release(held);
    this.#argc = 0;
    this.#elements = 0;
  }

  #start(): void {
    if (this.#argc === 0) this.#held.beginEncoded(NOTHING);
  }
}
