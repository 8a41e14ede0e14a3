/**
 * Changes what a path leads to. Dragonfly first collects the containers and then takes the last step in each (since 1.30). Where a change moves or frees a
 * container that is yet to come, what it does is undefined; that is told and not guessed. Pure.
 */
import { childrenOf, isContainer, type JsonCell } from "./json-tree.ts";
import { cellsOf, type Walk, walkPath } from "./walk-path.ts";

export type MatchEdit = {
  /** True if it changed the cell. */
  readonly apply: (cell: JsonCell) => boolean;
  /** Cells that it makes for each match. */
  readonly copies: number;
};

/** entangled: matches lie within one another. exhausted: more work than one command may make. */
export type EditOutcome = "unmatched" | "untouched" | "changed" | "entangled" | "exhausted";

export function editMatches(walk: Walk, edit: MatchEdit): EditOutcome {
  const last = walk.steps.at(-1);
  if (last === undefined) return edit.apply(walk.root) ? "changed" : "untouched";
  const containers: JsonCell[] = [];
  if (!walkPath(walk, (container) => containers.push(container))) return "exhausted";
  const pending = walk.steps.some(({ kind }) => kind === "descent") ? new PendingCells(containers) : undefined;
  let outcome: EditOutcome = "unmatched";
  for (const container of containers) {
    pending?.done(container);
    for (const cell of cellsOf(container.content, last)) {
      if (!walk.budget.spend(1 + edit.copies)) return "exhausted";
      const holdsPending = pending?.isWithin(cell) ?? false;
      const changed = edit.apply(cell);
      if (changed && holdsPending) return "entangled";
      if (changed) outcome = "changed";
      else if (outcome === "unmatched") outcome = "untouched";
    }
  }
  return outcome;
}

/** Containers that are yet to come, with how often. */
class PendingCells {
  readonly #times = new Map<JsonCell, number>();

  constructor(cells: readonly JsonCell[]) {
    for (const cell of cells) this.#times.set(cell, (this.#times.get(cell) ?? 0) + 1);
  }

  done(cell: JsonCell): void {
    const left = (this.#times.get(cell) ?? 0) - 1;
    if (left > 0) this.#times.set(cell, left);
    else this.#times.delete(cell);
  }

  /** Below the cell; the cell itself stays where it is when its content is changed. */
  isWithin(cell: JsonCell): boolean {
    for (const child of childrenOf(cell.content)) {
      if (isContainer(child.content) && (this.#times.has(child) || this.isWithin(child))) return true;
    }
    return false;
  }
}
