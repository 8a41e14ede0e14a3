/** The schema as a tree and as a flat list: what a loader, the help and the reference page walk. Built once, from the schema alone. */
import { z } from "zod";
import { type FieldMeta, fieldRegistry, type SectionMeta, sectionRegistry } from "./field.ts";
import { configSchema } from "./schema.ts";

export type ConfigField = FieldMeta & {
  /** Dotted, e.g. `advanced.limits.stringBytes`. */
  readonly path: string;
  readonly key: string;
  readonly env: string;
  readonly schema: z.ZodType;
  /** Undefined: required, none, or said in `defaultText`. */
  readonly defaultValue: string | number | boolean | undefined;
};

export type ConfigSection = SectionMeta & {
  readonly path: string;
  readonly key: string;
  readonly children: ReadonlyMap<string, ConfigNode>;
};

export type ConfigNode = { readonly field: ConfigField } | { readonly section: ConfigSection };

const ENV_PREFIX = "DF2REDIS_";

/** `advanced.limits.stringBytes` → `DF2REDIS_ADVANCED_LIMITS_STRING_BYTES`. */
function envName(path: string): string {
  return (
    ENV_PREFIX +
    path
      .replaceAll(".", "_")
      .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
      .toUpperCase()
  );
}

function objectOf(schema: unknown): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  return schema instanceof z.ZodPrefault ? objectOf(schema.unwrap()) : undefined;
}

function buildSection(schema: z.ZodObject, path: string, meta: SectionMeta): ConfigSection {
  const children = new Map<string, ConfigNode>();
  const key = path.slice(path.lastIndexOf(".") + 1);
  const prefix = path === "" ? "" : `${path}.`;
  for (const [name, child] of Object.entries(schema.shape)) {
    children.set(name, buildNode(child as z.ZodType, prefix + name, meta.shorthand === name ? path : undefined));
  }
  return { ...meta, path, key, children };
}

/** @param shorthandPath of the section that this key's value may stand in for: the variable is then named after the section. */
function buildNode(schema: z.ZodType, path: string, shorthandPath: string | undefined): ConfigNode {
  const inner = objectOf(schema);
  if (inner !== undefined)
    return { section: buildSection(inner, path, sectionRegistry.get(schema) ?? { description: "" }) };
  const meta = fieldRegistry.get(schema) ?? { description: "", kind: "text", allowed: "a text" };
  const key = path.slice(path.lastIndexOf(".") + 1);
  const defaultValue =
    schema instanceof z.ZodDefault ? (schema.def.defaultValue as ConfigField["defaultValue"]) : undefined;
  return { field: { ...meta, path, key, env: envName(shorthandPath ?? path), schema, defaultValue } };
}

function flatten(node: ConfigSection): readonly ConfigField[] {
  return [...node.children.values()].flatMap((child) => ("field" in child ? [child.field] : flatten(child.section)));
}

export const ROOT_SECTION: ConfigSection = buildSection(configSchema, "", { description: "" });

/** Every key that holds a value, in the order of the schema. */
export const CONFIG_FIELDS: readonly ConfigField[] = flatten(ROOT_SECTION);

export const FIELDS_BY_PATH: ReadonlyMap<string, ConfigField> = new Map(
  CONFIG_FIELDS.map((field) => [field.path, field]),
);
