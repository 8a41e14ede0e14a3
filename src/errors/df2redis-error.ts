/**
 * The one base class of every error that this program raises on purpose. Match on `code`, never on the message or on
 * `instanceof` across threads: worker threads pass errors as plain data (`toPlain` / `fromPlain`).
 *
 * `context` holds facts for the operator (flow, offset, lsn, key, command, address). Never a value, never a password.
 */
import { ERROR_CODES, type ErrorCode } from "./codes.ts";

export type ErrorContext = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type ErrorOptionsWithContext = {
  readonly context?: ErrorContext;
  readonly cause?: unknown;
};

/** A `Df2RedisError` as it crosses a thread or a JSON line. */
export type PlainError = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly context: ErrorContext;
  readonly stack?: string | undefined;
};

export class Df2RedisError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, options: ErrorOptionsWithContext = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Df2RedisError";
    this.code = code;
    this.context = options.context ?? {};
  }

  /** Whether the same step may succeed when it is tried again. A property of the code. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  toPlain(): PlainError {
    return { code: this.code, message: this.message, context: this.context, stack: this.stack };
  }

  static fromPlain(plain: PlainError): Df2RedisError {
    const error = new Df2RedisError(plain.code, plain.message, { context: plain.context });
    if (plain.stack !== undefined) error.stack = plain.stack;
    return error;
  }

  /** A copy with more context; what the error already says wins. */
  withContext(context: ErrorContext): Df2RedisError {
    const copy = new Df2RedisError(this.code, this.message, {
      context: { ...context, ...this.context },
      cause: this.cause,
    });
    if (this.stack !== undefined) copy.stack = this.stack;
    return copy;
  }
}

/** Whatever was thrown, as one of ours: an unknown error becomes `INTERNAL` with the original as its cause. */
export function asDf2RedisError(thrown: unknown): Df2RedisError {
  if (thrown instanceof Df2RedisError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Df2RedisError("INTERNAL", message, { cause: thrown });
}
