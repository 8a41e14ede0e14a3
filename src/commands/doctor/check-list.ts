/** Collects the checks of one group, in the order in which they are to be read. */
import type { CheckGroup, DoctorCheck } from "./doctor-report.ts";

export class CheckList {
  readonly checks: DoctorCheck[] = [];
  readonly #group: CheckGroup;

  constructor(group: CheckGroup) {
    this.#group = group;
  }

  ok(name: string, found: string, advice?: string): void {
    this.#add(name, { level: "ok", found, advice });
  }

  warning(name: string, found: string, advice?: string): void {
    this.#add(name, { level: "warning", found, advice });
  }

  problem(name: string, found: string, advice?: string): void {
    this.#add(name, { level: "problem", found, advice });
  }

  unknown(name: string, found: string, advice?: string): void {
    this.#add(name, { level: "unknown", found, advice });
  }

  #add(name: string, { advice, ...rest }: Omit<DoctorCheck, "id">): void {
    this.checks.push({ id: `${this.#group}.${name}`, ...rest, ...(advice === undefined ? {} : { advice }) });
  }
}
