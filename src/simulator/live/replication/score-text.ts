/** A score as Dragonfly stores it in packed zsets: the shortest text that reads back exactly, without `+` in its exponent (double-conversion's form). Pure. */
export function scoreText(score: number): string {
  if (score === Infinity) return "inf";
  if (score === -Infinity) return "-inf";
  return String(score).replace("e+", "e");
}
