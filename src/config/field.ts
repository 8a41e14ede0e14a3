/**
 * The building blocks of the configuration schema: each makes a zod schema and notes beside it what zod cannot say (the flag, the
 * words for what is allowed, how to read a text from the environment). The notes are found through the registries below.
 */
import { z } from "zod";
import { BYTE_SIZE_PATTERN, byteSizeText, parseByteSize } from "./byte-size.ts";
import { DATABASES_PATTERN } from "./database-pairs.ts";
import { Secret } from "./secret.ts";

export type FieldKind =
  | "text"
  | "address"
  | "secret"
  | "path"
  | "integer"
  | "bytes"
  | "boolean"
  | "choice"
  | "databases";

/** What an author of a schema says about one key. */
export type FieldNote = {
  readonly description: string;
  /** The long flag without dashes; without one the key has no flag. */
  readonly flag?: string | undefined;
  /** What the value is called in the help. */
  readonly placeholder?: string | undefined;
  /** The default in words, where it is not a constant. */
  readonly defaultText?: string | undefined;
  /** Names that people coming from other tools write instead. */
  readonly insteadOf?: readonly string[] | undefined;
};

export type FieldMeta = FieldNote & { readonly kind: FieldKind; readonly allowed: string };

export type SectionMeta = {
  readonly description: string;
  /** The key that a plain value in place of the mapping stands for. */
  readonly shorthand?: string | undefined;
};

export const fieldRegistry = z.registry<FieldMeta>();
export const sectionRegistry = z.registry<SectionMeta>();

function field<T extends z.ZodType>(schema: T, meta: FieldMeta): T {
  const described = schema.describe(meta.description);
  fieldRegistry.add(described, meta);
  return described;
}

export function section<T extends z.ZodType>(schema: T, meta: SectionMeta): T {
  const described = schema.describe(meta.description);
  sectionRegistry.add(described, meta);
  return described;
}

export function textField(note: FieldNote) {
  return field(z.string().min(1).optional(), { ...note, kind: "text", allowed: "a text" });
}

export function nameField(note: FieldNote & { readonly fallback: string }) {
  const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
  const allowed = "1 to 64 of the characters A–Z a–z 0–9 . _ -, the first a letter or digit";
  return field(name.default(note.fallback), { ...note, kind: "text", allowed });
}

export function addressField(note: FieldNote) {
  const allowed = "host:port, [IPv6]:port, or a URL that starts with redis://, rediss:// or dragonfly://";
  return field(z.string(), { ...note, kind: "address", allowed });
}

export function secretField(note: FieldNote) {
  const secret = z.string().transform((text) => new Secret(text));
  return field(secret.optional(), { ...note, kind: "secret", allowed: "a text" });
}

export function pathField(note: FieldNote) {
  return field(z.string().min(1).optional(), { ...note, kind: "path", allowed: "a path" });
}

export function booleanField(note: FieldNote) {
  return field(z.boolean().optional(), { ...note, kind: "boolean", allowed: "true or false" });
}

/** A boolean with a constant default; `booleanField` leaves the difference between "not given" and false. */
export function switchField(note: FieldNote & { readonly fallback: boolean }) {
  return field(z.boolean().default(note.fallback), { ...note, kind: "boolean", allowed: "true or false" });
}

export function choiceField<const T extends readonly [string, ...string[]]>(
  choices: T,
  note: FieldNote & { readonly fallback: T[number] },
) {
  const allowed = `one of ${choices.join(", ")}`;
  return field(z.enum(choices).default(note.fallback as never), { ...note, kind: "choice", allowed });
}

/** A choice without a default: not given is a choice of its own. */
export function optionalChoiceField<const T extends readonly [string, ...string[]]>(choices: T, note: FieldNote) {
  return field(z.enum(choices).optional(), { ...note, kind: "choice", allowed: `one of ${choices.join(", ")}` });
}

/** Also a YAML mapping; the loader turns that into the text. */
export function databasesField(note: FieldNote) {
  const allowed =
    "pairs like `1=0, 2=0:two:, *=0:db{db}:`, or a mapping of a database to a database or to `database:prefix`";
  return field(z.string().regex(DATABASES_PATTERN).optional(), { ...note, kind: "databases", allowed });
}

type Range = { readonly min: number; readonly max: number };

export function integerField(note: FieldNote & Range & { readonly fallback: number }) {
  return field(z.int().min(note.min).max(note.max).default(note.fallback), integerMeta(note));
}

export function optionalIntegerField(note: FieldNote & Range) {
  return field(z.int().min(note.min).max(note.max).optional(), integerMeta(note));
}

function integerMeta(note: FieldNote & Range): FieldMeta {
  return { ...note, kind: "integer", allowed: `a whole number from ${note.min} to ${note.max}` };
}

export function bytesField(note: FieldNote & Range & { readonly fallback: number }) {
  const fromText = z.string().regex(BYTE_SIZE_PATTERN).transform(parseByteSize);
  const size = z.union([z.int().min(note.min).max(note.max), fromText]).pipe(z.int().min(note.min).max(note.max));
  const allowed = `a size from ${byteSizeText(note.min)} to ${byteSizeText(note.max)}, as a number of bytes or like 64 KiB, 8 MiB`;
  return field(size.default(note.fallback), { ...note, kind: "bytes", allowed });
}
