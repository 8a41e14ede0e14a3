import fc from "fast-check";
import { expect, test } from "vitest";
import { keyText } from "./key-text.ts";

/** The bytes that a text stands for. */
function readBack(text: string): Buffer {
  const parts = text.split(/(\\x[0-9a-f]{2}|\\\\)/);
  return Buffer.concat(
    parts.map((part) => {
      if (part === "\\\\") return Buffer.from("\\");
      return part.startsWith("\\x") ? Buffer.from(part.slice(2), "hex") : Buffer.from(part);
    }),
  );
}

test("a text stands for exactly the bytes of its key", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(bytes, (key) => {
      const text = keyText(key, 1000);
      expect(readBack(text).equals(Buffer.from(key))).toBe(true);
      // eslint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }),
  );
});
