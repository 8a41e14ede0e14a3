/**
 * Keys and other foreign bytes as text that is safe to show: valid UTF-8 stays, every other byte and every control character becomes
 * \xNN, a backslash becomes \\. So a text stands for exactly one sequence of bytes, and no key can steer a terminal. Pure.
 */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/gu;

/** The length of the valid UTF-8 sequence at `i`, or 0 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || i + length > bytes.length) return 0;
  const second = bytes[i + 1] ?? 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let j = i + 2; j < i + length; j++) if (((bytes[j] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

function escapeCharacter(character: string): string {
  return character === "\\" ? "\\\\" : Array.from(Buffer.from(character), hex).join("");
}

/** @param limitBytes longer keys are cut, and the text says so. */
export function keyText(bytes: Uint8Array, limitBytes = 256): string {
  const shown = bytes.length > limitBytes ? bytes.subarray(0, limitBytes) : bytes;
  const buffer = Buffer.from(shown.buffer, shown.byteOffset, shown.byteLength);
  let text = "";
  let plainStart = 0;
  for (let i = 0; i < buffer.length;) {
    const length = sequenceLength(buffer, i);
    if (length > 0) {
      i += length;
      continue;
    }
    text += printable(buffer.toString("utf8", plainStart, i)) + hex(buffer[i] ?? 0);
    plainStart = ++i;
  }
  text += printable(buffer.toString("utf8", plainStart));
  return bytes.length > limitBytes ? `${text}… (${bytes.length} bytes)` : text;
}

/** Text with control and invisible characters shown as \xNN; other text as it is, but for backslashes. */
function printable(text: string): string {
  return text.replaceAll(CONTROL, escapeCharacter);
}

/** A server's words or an already escaped key, made safe for a terminal: only control characters change. */
export function safeText(text: string): string {
  return text.replaceAll(CONTROL, (character) => (character === "\\" ? character : escapeCharacter(character)));
}
