/** A JSON document's text as Dragonfly keeps and sends it: compact, the names of an object in the order of their bytes. Pure. */
export function jsonText(document: unknown): string {
  if (Array.isArray(document)) return `[${document.map(jsonText).join(",")}]`;
  if (typeof document === "object" && document !== null) {
    const entries = Object.entries(document).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`).join(",")}}`;
  }
  return JSON.stringify(document);
}
