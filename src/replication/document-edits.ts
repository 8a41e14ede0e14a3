/**
 * Changes of documents that the target holds as strings, one after the other: wait until all before is applied, read the string back, change it,
 * write it. While one is under way the flow decodes nothing else, so that nothing of the flow overtakes it; other flows do not know its key.
 */
import { asDf2RedisError, type Df2RedisError } from "../errors/df2redis-error.ts";
import type { TargetWriter } from "../target/target-writer.ts";
import { Slice } from "../bytes/slice.ts";
import { checkBulk } from "../target/translate/write-mode.ts";
import type { DocumentEdit } from "../target/translate/journal-context.ts";

export type DocumentEditsOptions = {
  readonly flow: number;
  readonly writer: TargetWriter;
  /** Longest argument that the target takes. */
  readonly maxBulkBytes: number;
  readonly read: (db: number, key: Buffer) => Promise<string | undefined>;
  /** The change cannot be made; the document stays as it is. */
  readonly unrunnable: (edit: DocumentEdit, why: string) => void;
  /** Something was encoded, or must be sent so that answers come. */
  readonly encoded: () => void;
  /** The last one is done. */
  readonly done: () => void;
  readonly failed: (error: Df2RedisError) => void;
};

export class DocumentEdits {
  readonly #options: DocumentEditsOptions;
  readonly #waiting: DocumentEdit[] = [];
  readonly #key = new Slice();

  constructor(options: DocumentEditsOptions) {
    this.#options = options;
  }

  get isEditing(): boolean {
    return this.#waiting.length > 0;
  }

  /** Of the entry that is not applied yet; undefined when there is none, -1 inside a snapshot. */
  get lsn(): number | undefined {
    return this.#waiting[0]?.lsn;
  }

  add(edit: DocumentEdit): void {
    this.#waiting.push(edit);
    if (this.#waiting.length === 1) this.#start(edit);
  }

  #start(edit: DocumentEdit): void {
    const { writer, encoded, failed } = this.#options;
    writer.afterApplied(() => {
      this.#run(edit).catch((thrown: unknown) => failed(asDf2RedisError(thrown)));
    });
    encoded();
  }

  async #run(edit: DocumentEdit): Promise<void> {
    const change = edit.change(await this.#options.read(edit.db, edit.key));
    if (change.kind === "unrunnable") this.#options.unrunnable(edit, change.why);
    if (change.kind === "set") this.#encode(edit, "SET", change.text);
    if (change.kind === "delete") this.#encode(edit, "DEL", undefined);
    this.#waiting.shift();
    const next = this.#waiting[0];
    if (next === undefined) this.#options.done();
    else this.#start(next);
  }

  #encode(edit: DocumentEdit, name: string, text: string | undefined): void {
    const { encoder } = this.#options.writer;
    const key = this.#key.set(edit.key, 0, edit.key.length);
    const bytes = text === undefined ? undefined : Buffer.from(text);
    if (bytes !== undefined) checkBulk(bytes.length, this.#options.maxBulkBytes, { db: edit.db, key });
    encoder.flow = this.#options.flow;
    encoder.lsn = edit.lsn;
    encoder.select(edit.db);
    encoder.begin(bytes === undefined ? 2 : 4);
    encoder.argText(name);
    encoder.arg(key);
    if (bytes === undefined) return;
    encoder.argBytes(bytes);
    // A document's deadline outlives its changes (Dragonfly src/server/json_family.cc); without one there is none to keep.
    encoder.argText("KEEPTTL");
  }
}
