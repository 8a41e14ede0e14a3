/**
 * Deletes keys that the target held before the run and that nobody has claimed since, while workers and other clients go on writing.
 *
 * Why no write of the source is lost. A worker that is about to write such a key claims it first (`OwnedKeys.claim`) and sends its commands
 * then; we WATCH the key, ask `isUnclaimed` after WATCH was answered, and send MULTI, UNLINK, EXEC. Take the moment of the claim:
 * - before our question: the answer is "claimed", and we leave the key alone;
 * - after it: the worker's commands were sent after WATCH was answered, so the server runs them either
 *   - before our EXEC: the write changes a watched key, and EXEC does nothing; or
 *   - after our EXEC: they meet no key, as they would have after the worker's own delete; or
 *   - some before and some after: the worker's UNLINK of the old value comes first. If it alone is before EXEC, it has changed the watched key
 *     or there was none; its write is after EXEC, and nothing of ours follows.
 * So UNLINK never runs behind a write of the source. A client of the target that touches the key in between breaks the EXEC as well: then the batch is
 * halved and tried again, and a key that was touched twice on its own is left and reported. A deadline that passes between WATCH and EXEC does
 * not count as a touch, and need not: the key is gone.
 *
 * Owns the connection's WATCH and SELECT, so nobody else may use that connection.
 */
import { Slice } from "../bytes/slice.ts";
import { type Reply, replyInteger, replyItems } from "../resp/reply.ts";
import { type Asked, askTarget, refusalOf } from "./ask-target.ts";
import type { OwnedKeys } from "./owned-keys.ts";

/** One EXEC holds up the target's other clients for so many deletions at most. */
const BATCH_KEYS = 256;

export type DeleteOutcome = {
  /** Those that were there and are gone now; one whose deadline passed meanwhile does not count. */
  readonly deleted: number;
  /** Those that the last UNLINKs named. */
  readonly unlinked: readonly Buffer[];
  /** Touched by someone else whenever we tried. */
  readonly kept: readonly Buffer[];
};

export class UnclaimedDeleter {
  readonly #asked: Asked;
  readonly #owned: Pick<OwnedKeys, "isUnclaimed">;
  readonly #slice = new Slice();
  #db = -1;
  #deleted = 0;
  #unlinked: Buffer[] = [];
  #kept: Buffer[] = [];

  constructor(asked: Asked, owned: Pick<OwnedKeys, "isUnclaimed">) {
    this.#asked = asked;
    this.#owned = owned;
  }

  /** Those of `keys` that nobody has claimed are gone afterwards, but for the kept ones. */
  async delete(db: number, keys: readonly Buffer[]): Promise<DeleteOutcome> {
    this.#deleted = 0;
    this.#unlinked = [];
    this.#kept = [];
    if (db !== this.#db) await askTarget(this.#asked, "SELECT", String(db));
    this.#db = db;
    for (let at = 0; at < keys.length; at += BATCH_KEYS) await this.#deleteBatch(keys.slice(at, at + BATCH_KEYS));
    return { deleted: this.#deleted, unlinked: this.#unlinked, kept: this.#kept };
  }

  async #deleteBatch(keys: readonly Buffer[]): Promise<void> {
    if (await this.#try(keys)) return;
    if (keys.length > 1) {
      const half = Math.ceil(keys.length / 2);
      await this.#deleteBatch(keys.slice(0, half));
      await this.#deleteBatch(keys.slice(half));
    } else if (!(await this.#try(keys))) {
      this.#kept.push(...keys);
    }
  }

  /** False when someone touched one of them: then nothing was deleted. */
  async #try(keys: readonly Buffer[]): Promise<boolean> {
    await askTarget(this.#asked, "WATCH", ...keys);
    const unclaimed = keys.filter((key) => this.#owned.isUnclaimed(this.#db, this.#slice.set(key, 0, key.length)));
    if (unclaimed.length === 0) {
      await askTarget(this.#asked, "UNWATCH");
      return true;
    }
    const [, , result] = await Promise.all([
      askTarget(this.#asked, "MULTI"),
      askTarget(this.#asked, "UNLINK", ...unclaimed),
      askTarget(this.#asked, "EXEC"),
    ]);
    if (result.type === "null") return false;
    this.#deleted += this.#countOf(result);
    this.#unlinked.push(...unclaimed);
    return true;
  }

  #countOf(result: Reply): number {
    const [unlinked] = replyItems(result) ?? [];
    const count = replyInteger(unlinked);
    if (count !== undefined) return count;
    throw refusalOf(this.#asked, "UNLINK", unlinked?.type === "error" ? unlinked.message : "no count");
  }
}
