/**
 * What a worker makes of the writes that are left out: stops the run, or tells the main thread, which notes them in the dead-letter file
 * (`errors.*`, docs/refused-writes.md). Until the main thread says that an entry is on disk no mark of the writer runs, so nothing behind it
 * is acknowledged: at every instant the entry is in the file, or the source still owes it to us.
 */
import type { ErrorsConfig } from "../config/schema.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { JournalCommand } from "../journal/journal-command.ts";
import { keyText } from "../observability/key-text.ts";
import type { TargetRejection, TargetWriter } from "../target/target-writer.ts";
import { type TargetErrorClass, classifyTargetError } from "../target/translate/journal-error-class.ts";
import type { RejectedBytes, RejectedEntry, RejectionClass } from "./rejected-entry.ts";
import type { WorkerEvent } from "./worker-messages.ts";

/** Entries that are told one by one when no file takes them; the rest is counted. */
const TOLD_REJECTIONS = 100;
/** Entries on their way to the file at which the flows stop reading, and the number at which they go on (I9). */
const MOST_UNSTORED = 1000;
const FEW_UNSTORED = 500;

export type RejectionsOptions = {
  /** undefined: no dead-letter file. The defaults hold, and nobody answers by `stored`. */
  readonly errors: ErrorsConfig | undefined;
  readonly sourceJournalsFailures: boolean;
  tell(event: Extract<WorkerEvent, { readonly type: "rejected" }>): void;
  readonly writer: () =>
    | Pick<TargetWriter, "holdMarks" | "releaseMarks" | "pauseFeeding" | "resumeFeeding">
    | undefined;
  fail(error: Df2RedisError): void;
};

export class Rejections {
  readonly #options: RejectionsOptions;
  #count = 0;
  /** Told, and not on disk as far as we know. */
  #unstored = 0;

  constructor(options: RejectionsOptions) {
    this.#options = options;
  }

  /** Entries left out so far. */
  get count(): number {
    return this.#count;
  }

  /** An error reply that was not, or not any more, to be retried. */
  onRejection({ command, message }: TargetRejection): void {
    const { flow, db, lsn, name, args } = command;
    // Neither a snapshot's objects have an LSN nor the entries between them, so of those only the kind of command tells.
    const sourceJournalsFailures = this.#options.sourceJournalsFailures && lsn >= 0;
    const found = classifyTargetError(command, message, { sourceJournalsFailures });
    const key = command.key === undefined ? "" : keyText(command.key);
    const error = withoutArguments(message);
    const letterClass = this.#letterClass(found, name);
    if (letterClass === undefined)
      return this.#options.fail(refusedError({ flow, lsn, db, command: name, key, error }));
    this.#leaveOut({ flow, lsn, db, command: name, key, error, class: letterClass }, rejectedBytes(command.key, args));
  }

  /** An entry that the translation knows no server can run. @throws TARGET_REJECTED when that is to end the run */
  onUnrunnable(flow: number, entry: JournalCommand, why: string): void {
    const isStop = this.#options.errors?.unrunnable === "stop";
    this.#onUnsent(flow, entry, { why, class: "unrunnable", isStop });
  }

  /**
   * An entry whose result cannot be had here, since it depends on a key that is the target's own (`conflict.policy: skip`): lost like a refused
   * write. @throws TARGET_REJECTED when that is to end the run
   */
  onUnderivable(flow: number, entry: JournalCommand, why: string): void {
    const isStop = this.#options.errors?.rejected !== "dead-letter";
    this.#onUnsent(flow, entry, { why, class: "fatal", isStop });
  }

  /** The main thread has put the oldest entry that was told on disk. */
  stored(): void {
    if (this.#unstored === 0) return;
    this.#unstored--;
    if (this.#unstored === FEW_UNSTORED) this.#options.writer()?.resumeFeeding();
    if (this.#unstored === 0) this.#options.writer()?.releaseMarks();
  }

  /** Thrown, not told: the decoder that is at it must stop there. */
  #onUnsent(
    flow: number,
    entry: JournalCommand,
    what: { readonly why: string; readonly class: RejectionClass; readonly isStop: boolean },
  ): void {
    const { lsn, db } = entry;
    const command = entry.arg(0).toLatin1().toUpperCase();
    const place = { flow, lsn, db, command, key: keyText(entry.arg(1).view()), error: what.why };
    if (what.isStop) throw unsentError(place, what.class);
    const args = this.#wantsValues ? entry.args.slice(1, entry.argc).map((arg) => arg.view()) : undefined;
    this.#leaveOut({ ...place, class: what.class }, rejectedBytes(entry.arg(1).view(), args));
  }

  get #wantsValues(): boolean {
    return this.#options.errors?.values === true;
  }

  /** How a refusal is noted, or undefined when it ends the run. */
  #letterClass(found: TargetErrorClass, name: string): RejectionClass | undefined {
    const { errors } = this.#options;
    // Everything behind a refused SELECT is written to another database.
    if (name === "SELECT") return undefined;
    if (found === "unrunnable") return errors?.unrunnable === "stop" ? undefined : "unrunnable";
    // A target that takes nothing now would fill the file with all that follows.
    if (found === "retryable") return undefined;
    return errors?.rejected === "dead-letter" ? "fatal" : undefined;
  }

  #leaveOut(entry: RejectedEntry, bytes: RejectedBytes): void {
    const { errors, writer } = this.#options;
    this.#count++;
    if (errors === undefined) {
      if (this.#count <= TOLD_REJECTIONS) this.#options.tell({ type: "rejected", entry });
      return;
    }
    this.#unstored++;
    writer()?.holdMarks();
    if (this.#unstored >= MOST_UNSTORED) writer()?.pauseFeeding();
    this.#options.tell({ type: "rejected", entry, bytes });
  }
}

/** A server that does not know a command repeats its arguments, which may be values (Redis src/server.c processCommand). */
export function withoutArguments(words: string): string {
  return words.replace(/, with args beginning with:.*$/s, "");
}

/** Copies with memory of their own: a view would cross a thread with all of the buffer that it lies in. */
function rejectedBytes(key: Uint8Array | undefined, args: readonly Uint8Array[] | undefined): RejectedBytes {
  const own = key === undefined ? undefined : new Uint8Array(key);
  return args === undefined ? { key: own } : { key: own, args: args.map((arg) => new Uint8Array(arg)) };
}

type Place = Omit<RejectedEntry, "class">;

function refusedError({ flow, lsn, db, command, key, error: words }: Place): Df2RedisError {
  const at = lsn < 0 ? "while the snapshot was written" : `at LSN ${lsn}`;
  return new Df2RedisError(
    "TARGET_REJECTED",
    `the target refused ${command} of key "${key}" in database ${db} (flow ${flow}, ${at}): ${words}`,
    { context: { flow, db, command, key, words, ...(lsn < 0 ? {} : { lsn }) } },
  );
}

function unsentError({ flow, lsn, db, command, key, error: why }: Place, what: RejectionClass): Df2RedisError {
  const at = lsn < 0 ? "inside the snapshot" : `at LSN ${lsn}`;
  const [who, setting] = what === "unrunnable" ? ["no server can run", "unrunnable"] : ["cannot apply", "rejected"];
  return new Df2RedisError(
    "TARGET_REJECTED",
    `${who} ${command} of key "${key}" in database ${db} (flow ${flow}, ${at}), and errors.${setting} says stop: ${why}`,
    { context: { flow, db, command, key, why, ...(lsn < 0 ? {} : { lsn }) } },
  );
}
