/** One mistake in the configuration and where it stands. The words of a mistake never hold a value that may be secret. */

export type Origin =
  | { readonly kind: "file"; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "flag"; readonly name: string }
  /** Nowhere: something is missing. */
  | { readonly kind: "none" };

export type Mistake = {
  readonly origin: Origin;
  /** Dotted path of the key; empty for a whole file. */
  readonly path: string;
  readonly text: string;
  /** A file that could not be read, rather than a value that is wrong. */
  readonly unreadable?: boolean;
};

function originText(origin: Origin): string {
  switch (origin.kind) {
    case "file":
      return `${origin.file}:${origin.line}:${origin.column}`;
    case "env":
      return `environment variable ${origin.name}`;
    case "flag":
      return `flag --${origin.name}`;
    case "none":
      break;
  }
  return "";
}

export function mistakeText(mistake: Mistake): string {
  return [originText(mistake.origin), mistake.path, mistake.text].filter((part) => part !== "").join(": ");
}

const KIND_ORDER = { file: 0, env: 1, flag: 2, none: 3 } as const;

/** Mistakes of the file in its order, then those of variables, of flags, and what is missing. */
export function compareMistakes(a: Mistake, b: Mistake): number {
  if (a.origin.kind === "file" && b.origin.kind === "file") {
    return a.origin.line - b.origin.line || a.origin.column - b.origin.column;
  }
  return KIND_ORDER[a.origin.kind] - KIND_ORDER[b.origin.kind];
}
