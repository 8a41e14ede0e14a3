/** Finds the first match of a pattern in bytes that come in chunks. Text patterns and expressions see one character a byte. */
export type BytePattern = string | RegExp | Buffer;

/** A match may reach back that far into earlier chunks. */
const TAIL_BYTES = 4096;

export class PatternSearch {
  readonly #pattern: RegExp;
  #tail = "";
  #end = 0;

  constructor(pattern: BytePattern) {
    const source = pattern instanceof RegExp ? pattern.source : escapePattern(pattern.toString("latin1"));
    const flags = pattern instanceof RegExp ? pattern.flags.replaceAll(/[gy]/g, "") : "";
    this.#pattern = new RegExp(source, flags.includes("s") ? flags : `${flags}s`);
  }

  /** @returns the offset just past the first match, counted from the first byte ever fed */
  feed(chunk: Buffer): number | undefined {
    const text = this.#tail + chunk.toString("latin1");
    this.#end += chunk.length;
    const match = this.#pattern.exec(text);
    this.#tail = text.slice(-TAIL_BYTES);
    return match === null ? undefined : this.#end - text.length + match.index + match[0].length;
  }
}

function escapePattern(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}
