/**
 * Methods of Node's Buffer that every supported release has and that @types/node 22 leaves out: `toString`, `write` and `fill` are thin
 * wrappers around them (Node lib/internal/buffer.js addBufferPrototypes). On the data path the wrapper costs more than the work.
 */
interface Buffer {
  latin1Slice(start?: number, end?: number): string;
  utf8Slice(start?: number, end?: number): string;
  latin1Write(text: string, offset?: number, length?: number): number;
  utf8Write(text: string, offset?: number, length?: number): number;
}
