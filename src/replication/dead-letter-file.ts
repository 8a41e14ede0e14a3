/**
 * The file of writes that were left out: one JSON object a line, appended, never rewritten, readable by its owner alone. An entry counts as kept
 * once `append` resolves: written and synced. Whoever acknowledges an entry to the source waits for that, or a crash could leave the entry
 * neither in the target nor in the file.
 * Owns the file handle. Lines that come while others are being written go out together, with one sync. Never drops a line: after the first
 * failure every append fails.
 */
import { type FileHandle, mkdir, open } from "node:fs/promises";
import path from "node:path";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { jsonBytes } from "./json-bytes.ts";
import type { RejectedBytes, RejectedEntry } from "./rejected-entry.ts";

export const DEAD_LETTER_FILE = "dead-letter.ndjson";

export type DeadLetterOptions = {
  /** The task's directory. It and the file are made for the first entry. */
  readonly directory: string;
  /** Unix ms. */
  readonly clock: () => number;
};

type Waiting = { readonly line: string; readonly resolve: () => void; readonly reject: (error: Df2RedisError) => void };

export class DeadLetterFile {
  readonly path: string;
  readonly #options: DeadLetterOptions;
  #handle: FileHandle | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #failure: Df2RedisError | undefined;
  #count = 0;

  constructor(options: DeadLetterOptions) {
    this.#options = options;
    this.path = path.join(options.directory, DEAD_LETTER_FILE);
  }

  /** Entries of this run that are on disk. */
  get count(): number {
    return this.#count;
  }

  /** Resolves once the entry is on disk. @throws STATE_UNWRITABLE */
  append(entry: RejectedEntry, bytes: RejectedBytes): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const line = deadLetterLine(entry, bytes, this.#options.clock());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Waits for what is being written, and closes. Who waits for an entry hears of its failure there. */
  async close(): Promise<void> {
    await this.#writing;
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#write(batch.map(({ line }) => line).join(""));
        this.#count += batch.length;
        for (const { resolve } of batch) resolve();
      } catch (thrown) {
        const failure = (this.#failure ??= this.#unwritable(thrown));
        for (const { reject } of batch) reject(failure);
      }
    }
    this.#writing = undefined;
  }

  async #write(lines: string): Promise<void> {
    this.#handle ??= await openToAppend(this.#options.directory, this.path);
    await this.#handle.appendFile(lines);
    await this.#handle.sync();
  }

  #unwritable(thrown: unknown): Df2RedisError {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return new Df2RedisError(
      "STATE_UNWRITABLE",
      `a write that has to be left out could not be noted in the dead-letter file ${this.path}: ${why}`,
      { context: { path: this.path }, cause: thrown },
    );
  }
}

/** Behind the half line that a full disk or a crash may have left, a new line is begun. */
async function openToAppend(directory: string, file: string): Promise<FileHandle> {
  await mkdir(directory, { recursive: true });
  const handle = await open(file, "a+", 0o600);
  try {
    const { size } = await handle.stat();
    const last = Buffer.alloc(1, "\n");
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    if (last.toString() !== "\n") await handle.appendFile("\n");
    else if (size === 0) await syncDirectory(directory);
    return handle;
  } catch (thrown) {
    await handle.close().catch(() => undefined);
    throw thrown;
  }
}

/** Without it a crash of the machine may forget that there is a new file. Not every system can. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close().catch(() => undefined);
}

/** One line with its newline. @param nowMs Unix ms */
export function deadLetterLine(entry: RejectedEntry, bytes: RejectedBytes, nowMs: number): string {
  const { flow, lsn, db, command, error } = entry;
  const letter = {
    time: new Date(nowMs).toISOString(),
    flow,
    lsn: lsn < 0 ? null : lsn,
    db,
    command,
    key: bytes.key === undefined ? null : jsonBytes(bytes.key),
    error,
    class: entry.class,
    ...(bytes.args === undefined ? {} : { args: bytes.args.map(jsonBytes) }),
  };
  return `${JSON.stringify(letter)}\n`;
}
