/**
 * Numbers as Dragonfly's documents hold them: 64-bit integers, doubles, and a text for what is neither. Its arithmetic runs on doubles and
 * turns the result of integers back into one (`BinOpApply` of json_family.cc, 1.27 to 1.40). Pure.
 */
import type { JsonDialect } from "./json-dialect.ts";

/** wide: outside of 64 bits, or of a double's range; the master keeps its text and takes it for a string as well. */
export type NumberKind = "integer" | "double" | "wide";

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 64n - 1n;
const INTEGER = /^-?[0-9]+$/;
/** Digits that surely fit. */
const SAFE_LENGTH = 18;

export function numberKind(text: string): NumberKind {
  if (INTEGER.test(text)) {
    if (text.length <= SAFE_LENGTH) return "integer";
    const value = BigInt(text);
    return value >= MIN_INTEGER && value <= MAX_INTEGER ? "integer" : "wide";
  }
  const value = Number(text);
  const vanished = value === 0 && /[1-9]/.test(text.split(/e/i, 1)[0] ?? "");
  return Number.isFinite(value) && !vanished ? "double" : "wide";
}

export type Operand = { readonly value: number; readonly isDouble: boolean };

const DECIMAL = /^-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

/** What a command adds or multiplies by. Only a point makes it a double, an exponent does not. */
export function parseOperand(word: string): Operand | undefined {
  const isDouble = word.includes(".");
  if (INFINITE.test(word)) return { value: word.startsWith("-") ? -Infinity : Infinity, isDouble };
  return DECIMAL.test(word) ? { value: Number(word), isDouble } : undefined;
}

export type Operation = "add" | "multiply";
/** overflow: the master refuses. unknown: what it stores depends on its processor. */
export type ArithmeticResult = { readonly text: string } | "overflow" | "unknown";

export function calculate(
  text: string,
  operation: Operation,
  operand: Operand,
  dialect: JsonDialect,
): ArithmeticResult {
  const value = Number(text);
  const result = operation === "add" ? value + operand.value : value * operand.value;
  if (Number.isNaN(result)) return "unknown";
  if (!Number.isFinite(result)) return "overflow";
  if (operand.isDouble || numberKind(text) === "double") return { text: printDouble(result) };
  return integerResult(BigInt(Math.trunc(result)), dialect);
}

function integerResult(integer: bigint, { signedResults }: JsonDialect): ArithmeticResult {
  if (integer > MAX_INTEGER || (integer < 0n && !signedResults)) return "unknown";
  return integer < MIN_INTEGER ? "overflow" : { text: integer.toString() };
}

/** Exponents of ten that jsoncons prints without an `e`. */
const PLAIN_EXPONENTS = { from: -4, to: 16 };

/** The shortest digits that read back as the same double, in the form of jsoncons: a double always shows that it is one. */
export function printDouble(value: number): string {
  if (value === 0) return "0.0";
  const [digits = "", power = ""] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < PLAIN_EXPONENTS.from || exponent > PLAIN_EXPONENTS.to) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${digits}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  const plain = String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}
