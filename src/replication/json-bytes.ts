/** Bytes in the JSON files of a run: text, or `{"b64": …}` for what is not UTF-8. */
import { isUtf8 } from "node:buffer";

export type JsonBytes = string | { readonly b64: string };

export function jsonBytes(bytes: Uint8Array): JsonBytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? buffer.toString("utf8") : { b64: buffer.toString("base64") };
}

export function bytesOfJson(bytes: JsonBytes): Buffer {
  return typeof bytes === "string" ? Buffer.from(bytes) : Buffer.from(bytes.b64, "base64");
}
