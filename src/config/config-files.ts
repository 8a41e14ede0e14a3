/** Reads the files that a configuration names: passwords and TLS material. Their content never appears in a message. */
import { resolve } from "node:path";
import type { LayerValue } from "./layer.ts";
import type { MergedValues } from "./merge-layers.ts";
import type { Mistake } from "./mistake.ts";

export type ReadFile = (path: string) => string;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
};

/** Why a file cannot be read, in plain words. */
export function readFailure(thrown: unknown): string {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  return REASONS[code] ?? (code === "" ? "reading it failed" : `reading it failed (${code})`);
}

export class ConfigFiles {
  readonly #values: MergedValues;
  readonly #baseDir: string;
  readonly #readFile: ReadFile;
  readonly #mistakes: Mistake[];

  /** @param baseDir what paths inside the configuration file are relative to. */
  constructor(values: MergedValues, baseDir: string, readFile: ReadFile, mistakes: Mistake[]) {
    this.#values = values;
    this.#baseDir = baseDir;
    this.#readFile = readFile;
    this.#mistakes = mistakes;
  }

  /** The path as given there: relative to the file that names it, or to the working directory for flags and variables. */
  path(key: string): string | undefined {
    const named = this.#values.get(key);
    return named === undefined ? undefined : this.#resolve(named);
  }

  /** The content of the file that `key` names; undefined when it names none or when it cannot be read, which is then noted. */
  text(key: string): string | undefined {
    const named = this.#values.get(key);
    if (named === undefined) return undefined;
    try {
      return this.#readFile(this.#resolve(named));
    } catch (thrown) {
      const text = `the file cannot be read: ${readFailure(thrown)}`;
      this.#mistakes.push({ origin: named.origin, path: key, text, unreadable: true });
      return undefined;
    }
  }

  #resolve(named: LayerValue): string {
    return named.origin.kind === "file" ? resolve(this.#baseDir, String(named.value)) : resolve(String(named.value));
  }
}
