/**
 * The two errors that a codec raises on bad input. `inputOffset` counts from the start of the bytes that the codec was given;
 * the caller knows where those stand in the flow and adds its own `offset`. Built only when something is wrong, so it may be slow.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";

export type CodecName = "lz4" | "zstd" | "lzf" | "listpack" | "ziplist" | "intset" | "zipmap" | "stream node";

export function corrupt(codec: CodecName, what: string, inputOffset: number): Df2RedisError {
  return new Df2RedisError("STREAM_CORRUPT", `${codec}: ${what} (byte ${inputOffset} of its input)`, {
    context: { codec, inputOffset },
  });
}

/** A length from the wire over the caller's limit, found before anything was allocated for it. */
export function overLimit(
  codec: CodecName,
  length: number | bigint,
  limitBytes: number,
  inputOffset: number,
): Df2RedisError {
  const message = `${codec}: ${length} bytes after decompression, the limit is ${limitBytes}`;
  return new Df2RedisError("LIMIT_EXCEEDED", message, {
    context: { codec, length: Number(length), limitBytes, inputOffset },
  });
}
