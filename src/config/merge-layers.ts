/** Lays the layers over each other, the later ones winning. Pure. */
import type { Layer, LayerValue } from "./layer.ts";
import { SIDES } from "./schema.ts";

export type MergedValues = ReadonlyMap<string, LayerValue>;

/** A password of a higher layer replaces whatever way of giving it a lower layer has. */
const INSTEAD_OF: ReadonlyMap<string, string> = new Map(
  SIDES.flatMap((side) => [
    [`${side}.password`, `${side}.passwordFile`] as const,
    [`${side}.passwordFile`, `${side}.password`] as const,
  ]),
);

export function mergeLayers(layers: readonly Layer[]): MergedValues {
  const merged = new Map<string, LayerValue>();
  for (const layer of layers) {
    for (const path of layer.values.keys()) {
      const replaced = INSTEAD_OF.get(path);
      if (replaced !== undefined) merged.delete(replaced);
    }
    for (const [path, value] of layer.values) merged.set(path, value);
  }
  return merged;
}

/** `{"log.level": "info"}` → `{ log: { level: "info" } }`, the form that the schema parses. */
export function toTree(values: MergedValues): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, { value }] of values) {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    let node = root;
    for (const key of keys) node = (node[key] ??= {}) as Record<string, unknown>;
    node[last] = value;
  }
  return root;
}
