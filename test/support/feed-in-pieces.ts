/**
 * Makes every flow of this process hand its bytes on in pieces of one size, whatever the network made of them. For runs with one worker: other
 * threads do not see it.
 */
import { vi } from "vitest";
import { FlowConnection, type FlowHandlers } from "../../src/source/flow-connection.ts";

export type PieceFeed = { readonly pieces: () => number; readonly restore: () => void };

export function feedInPieces(size: number): PieceFeed {
  let pieces = 0;
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its object below
  const attach = FlowConnection.prototype.attach;
  const spy = vi.spyOn(FlowConnection.prototype, "attach").mockImplementation(function (
    this: FlowConnection,
    handlers: FlowHandlers,
  ) {
    const onData = (chunk: Buffer): void => {
      for (let at = 0; at < chunk.length; at += size) {
        pieces++;
        handlers.onData(chunk.subarray(at, at + size));
      }
    };
    attach.call(this, { onData, onClose: (error) => handlers.onClose(error) });
  });
  return { pieces: () => pieces, restore: () => spy.mockRestore() };
}
