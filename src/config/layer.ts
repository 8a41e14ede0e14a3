/** One source of configuration (file, environment or flags) after its check: values by dotted path, and where each one stands. */
import type { Mistake, Origin } from "./mistake.ts";

/** A value as written; checked against its key's schema, but not yet transformed by it. */
export type LayerValue = { readonly value: string | number | boolean; readonly origin: Origin };

export type Layer = {
  readonly values: Map<string, LayerValue>;
  readonly mistakes: Mistake[];
};

export function emptyLayer(): Layer {
  return { values: new Map(), mistakes: [] };
}
