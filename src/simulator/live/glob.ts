/** Patterns of KEYS, SCAN … MATCH and CONFIG GET: `*`, `?`, `[abc]`, `[^a-z]` and `\` before what is meant literally. On latin1 text. */
export function globMatcher(pattern: string): (text: string) => boolean {
  if (pattern === "*") return () => true;
  const expression = new RegExp(`^${pattern.replaceAll(GLOB_PIECE, translate)}$`, "s");
  return (text) => expression.test(text);
}

const GLOB_PIECE = /\\(?<escaped>.)|\[(?<negated>\^?)(?<set>(?:\\.|[^\]\\])*)\]|[*?]|[$()+./[\\\]^{|}]/gs;

function translate(piece: string): string {
  if (piece === "*") return ".*";
  if (piece === "?") return ".";
  if (piece.length > 1 && piece.startsWith("[")) return translateSet(piece);
  return piece.startsWith("\\") && piece.length > 1 ? `\\x${hex(piece[1] ?? "")}` : `\\x${hex(piece)}`;
}

function translateSet(piece: string): string {
  const negated = piece[1] === "^";
  const members = piece
    .slice(negated ? 2 : 1, -1)
    .replaceAll(/\\(.)|[[^]/gs, (member) => `\\x${hex(member.at(-1) ?? "")}`);
  return members === "" ? "(?!)" : `[${negated ? "^" : ""}${members}]`;
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, "0");
}
