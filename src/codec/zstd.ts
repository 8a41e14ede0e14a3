/**
 * ZSTD frames by node:zlib, with what it does not check by itself: sizes before it allocates, the frame's end, the size it came to.
 * Dragonfly writes one frame per blob with its content size (docs/protocol.md §4). The result is the caller's. A call leaves no state.
 */
import { zstdDecompressSync } from "node:zlib";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { corrupt, overLimit } from "./codec-error.ts";
import { maxZstdOutput, parseZstdHeader } from "./zstd-header.ts";

/** RFC 8878 §3.1.1.1.2: the window that every decoder should offer. A larger one must fit into the caller's limit. */
const ORDINARY_WINDOW_BYTES = 8 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** The content of the one frame `src[start, end)`, in a buffer of its own. */
export function zstdDecompress(src: Buffer, start: number, end: number, limitBytes: number): Buffer {
  const frame = parseZstdHeader(src, start, end);
  const { contentSize } = frame;
  if (contentSize !== undefined && contentSize > limitBytes) throw overLimit("zstd", contentSize, limitBytes, 0);
  const most = maxZstdOutput(src, start, end, frame);
  if (contentSize === undefined) checkWindow(frame.windowBytes, limitBytes);
  else if (contentSize > most) throw corrupt("zstd", `these blocks cannot hold ${contentSize} bytes`, 0);
  const out = inflate(src.subarray(start, end), contentSize, limitBytes);
  if (contentSize !== undefined && out.length !== contentSize) {
    throw corrupt("zstd", `${out.length} bytes where ${contentSize} were announced`, end - start);
  }
  return out;
}

/** Without a content size the decoder needs the whole window. */
function checkWindow(windowBytes: number, limitBytes: number): void {
  const most = Math.max(limitBytes, ORDINARY_WINDOW_BYTES);
  if (windowBytes > most) throw overLimit("zstd", windowBytes, most, 5);
}

function inflate(frame: Buffer, contentSize: number | undefined, limitBytes: number): Buffer {
  // One byte more than the content: a chunk that is exactly full makes zlib allocate another of the same size to see that nothing follows.
  const chunkSize = contentSize === undefined ? CHUNK_BYTES : Math.max(64, contentSize + 1);
  try {
    return zstdDecompressSync(frame, { chunkSize, maxOutputLength: Math.max(1, contentSize ?? limitBytes) });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ERR_BUFFER_TOO_LARGE") {
      if (contentSize === undefined) throw overLimit("zstd", limitBytes + 1, limitBytes, 0);
      throw corrupt("zstd", `more than the announced ${contentSize} bytes`, 0);
    }
    throw new Df2RedisError("STREAM_CORRUPT", `zstd: ${String(code ?? error)}`, {
      context: { codec: "zstd", inputOffset: 0 },
      cause: error,
    });
  }
}
