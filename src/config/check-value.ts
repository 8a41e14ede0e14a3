/** Checks one written value against its key, in words that never repeat a secret. */
import type { ConfigField } from "./config-fields.ts";
import type { Layer } from "./layer.ts";
import type { Origin } from "./mistake.ts";
import { SIDES } from "./schema.ts";

const TEXT_KINDS: ReadonlySet<string> = new Set(["text", "address", "secret", "path", "choice", "databases"]);

/** What was found, for a message. Nothing of a side is repeated: URLs hold passwords, and passwords land in the wrong key. */
function found(field: ConfigField, value: unknown): string {
  if (typeof value === "string" && isOfASide(field)) return "this value";
  if (typeof value === "string") return value.length > 60 || /[\p{Cc}@]/u.test(value) ? "this text" : `"${value}"`;
  return String(value);
}

function isOfASide(field: ConfigField): boolean {
  return SIDES.some((side) => field.path.startsWith(`${side}.`));
}

function typeProblem(field: ConfigField, value: string | number | boolean): string | undefined {
  if (TEXT_KINDS.has(field.kind) && typeof value !== "string") {
    return `is a ${typeof value === "number" ? "number" : "true or false"}, not a text; put it in quotes`;
  }
  return undefined;
}

/** A text from the environment or a flag as the type of its key. Left as it is when it does not fit: the check then says so. */
export function fromText(field: ConfigField, text: string): string | number | boolean {
  if (field.kind === "integer" && /^-?\d{1,16}$/.test(text)) return Number(text);
  if (field.kind === "bytes" && /^\d{1,16}$/.test(text)) return Number(text);
  if (field.kind === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** Puts the value into the layer, or the reason why it is not accepted. */
export function addValue(layer: Layer, field: ConfigField, value: string | number | boolean, origin: Origin): void {
  // An empty password or task name means "none", as in the Go tool's samples.
  if (value === "" && (field.kind === "secret" || field.path === "taskName")) return;
  const wrongType = typeProblem(field, value);
  if (wrongType !== undefined) {
    layer.mistakes.push({ origin, path: field.path, text: `${wrongType}; allowed: ${field.allowed}` });
  } else if (field.schema.safeParse(value).success) {
    layer.values.set(field.path, { value, origin });
  } else {
    layer.mistakes.push({
      origin,
      path: field.path,
      text: `${found(field, value)} is not accepted; allowed: ${field.allowed}`,
    });
  }
}
