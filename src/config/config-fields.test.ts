import { expect, test } from "vitest";
import { CONFIG_FIELDS, ROOT_SECTION } from "./config-fields.ts";
import { configJsonSchema } from "./json-schema.ts";

test("variables follow from paths; a section's shorthand key has the section's variable", () => {
  const names = new Map(CONFIG_FIELDS.map((field) => [field.path, field.env]));
  expect(names.get("source.addr")).toBe("DF2REDIS_SOURCE");
  expect(names.get("target.password")).toBe("DF2REDIS_TARGET_PASSWORD");
  expect(names.get("target.tls.enabled")).toBe("DF2REDIS_TARGET_TLS");
  expect(names.get("advanced.limits.stringBytes")).toBe("DF2REDIS_ADVANCED_LIMITS_STRING_BYTES");
  expect(names.get("taskName")).toBe("DF2REDIS_TASK_NAME");
});

test("no two keys share a variable or a flag, and no secret has a flag", () => {
  const names = CONFIG_FIELDS.map((field) => field.env);
  const flags = CONFIG_FIELDS.flatMap((field) => field.flag ?? []);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(flags).size).toBe(flags.length);
  expect(CONFIG_FIELDS.filter((field) => field.kind === "secret" && field.flag !== undefined)).toEqual([]);
});

test("every key is described", () => {
  const undescribed = CONFIG_FIELDS.filter((field) => !/^[A-Z].*\.$/.test(field.description));
  expect(undescribed.map((field) => field.path)).toEqual([]);
});

type Json = { readonly properties?: Record<string, Json>; readonly anyOf?: readonly Json[] };

function leaves(schema: Json, path: string): string[] {
  const mapping = schema.properties === undefined ? schema.anyOf?.find((part) => part.properties) : schema;
  if (mapping?.properties === undefined) return [path];
  const prefix = path === "" ? "" : `${path}.`;
  return Object.entries(mapping.properties).flatMap(([key, child]) => leaves(child, prefix + key));
}

test("the JSON schema has the same keys, closes every mapping and requires nothing", () => {
  const schema = configJsonSchema();
  expect(leaves(schema as Json, "").toSorted()).toEqual(CONFIG_FIELDS.map((field) => field.path).toSorted());
  const text = JSON.stringify(schema);
  expect(text).not.toContain('"required"');
  expect(text.match(/"additionalProperties":false/g)?.length).toBe(text.match(/"properties":/g)?.length);
  expect(schema["properties"]).toHaveProperty("source.anyOf.0", { type: "string" });
  expect([...ROOT_SECTION.children.keys()]).toEqual(Object.keys(schema["properties"] as object));
});
