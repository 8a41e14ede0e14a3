/** The same data as a user of `redis-cli --pipe` would feed it: SET, HSET with all fields, ZADD with all members, as RESP. */
import type { ByteWriter } from "./byte-writer.ts";
import { type DataObject, type ObjectKind, type Part, partText } from "./dataset.ts";

const NAMES: Readonly<Record<ObjectKind, Buffer>> = {
  string: Buffer.from("SET"),
  hash: Buffer.from("HSET"),
  zset: Buffer.from("ZADD"),
};

export function writeCommand(out: ByteWriter, object: DataObject): void {
  const { kind, key, parts } = object;
  out.latin1(`*${2 + parts.length}\r\n`);
  argument(out, NAMES[kind]);
  argument(out, key);
  if (kind === "zset") memberArguments(out, parts);
  else for (const part of parts) argument(out, partText(part));
}

/** ZADD wants the score first. */
function memberArguments(out: ByteWriter, parts: readonly Part[]): void {
  for (let i = 0; i < parts.length; i += 2) {
    argument(out, partText(parts[i + 1] ?? 0));
    argument(out, partText(parts[i] ?? 0));
  }
}

function argument(out: ByteWriter, bytes: Buffer): void {
  out.latin1(`$${bytes.length}\r\n`);
  out.copy(bytes);
  out.latin1("\r\n");
}
