/** The key `databases`: `1=0, 2=0:two:, *=0:db{db}:` as rules. Pure. A prefix holds no comma and no space at its ends. */
export type DatabaseRule = {
  /** undefined for `*`. */
  readonly source: number | undefined;
  readonly target: number;
  /** `{db}` is still in it. */
  readonly prefix: string;
};

const PAIR = String.raw`\s*(?:\d{1,5}|\*)\s*=\s*\d{1,5}\s*(?::[^,]*)?`;

export const DATABASES_PATTERN = new RegExp(`^${PAIR}(?:,${PAIR})*$`);

/** @param text matches `DATABASES_PATTERN` */
export function parseDatabasePairs(text: string): readonly DatabaseRule[] {
  return text.split(",").map((pair) => {
    const [source = "", to = ""] = splitOnce(pair, "=");
    const [target = "", prefix = ""] = splitOnce(to, ":");
    return {
      source: source.trim() === "*" ? undefined : Number(source),
      target: Number(target),
      prefix: prefix.trim(),
    };
  });
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
