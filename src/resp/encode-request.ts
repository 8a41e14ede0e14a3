/** One request as a RESP array, for control conversations. The data path uses `CommandEncoder`. */
export function encodeRequest(args: readonly (string | Uint8Array)[]): Buffer {
  const parts: (string | Uint8Array)[] = [`*${args.length}\r\n`];
  for (const arg of args) {
    const size = typeof arg === "string" ? Buffer.byteLength(arg) : arg.length;
    parts.push(`$${size}\r\n`, arg, "\r\n");
  }
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}
