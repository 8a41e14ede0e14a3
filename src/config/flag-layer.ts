/** Reads the flags that belong to configuration keys, given by their long names without dashes. */
import { addValue, fromText } from "./check-value.ts";
import { CONFIG_FIELDS } from "./config-fields.ts";
import { emptyLayer, type Layer } from "./layer.ts";

/** Long flag name without dashes → its value; `true` for a flag without a value. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

const FIELDS_BY_FLAG = new Map(
  CONFIG_FIELDS.flatMap((field) => (field.flag === undefined ? [] : [[field.flag, field] as const])),
);

export function readFlagLayer(flags: Flags): Layer {
  const layer = emptyLayer();
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const field = FIELDS_BY_FLAG.get(name);
    const origin = { kind: "flag", name } as const;
    if (field === undefined) layer.mistakes.push({ origin, path: "", text: "is not a known flag" });
    else addValue(layer, field, typeof value === "string" ? fromText(field, value) : value, origin);
  }
  return layer;
}
