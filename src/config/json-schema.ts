/** The JSON schema of a configuration file, for editors. Made from the zod schema; docs/config.schema.json is its output. */
import { z } from "zod";
import { sectionRegistry } from "./field.ts";
import { configSchema } from "./schema.ts";

export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => adapt(zodSchema, jsonSchema),
  });
  return { ...schema, title: "df2redis configuration" };
}

type Json = Record<string, unknown>;

function adapt(zodSchema: unknown, jsonSchema: Json): void {
  // Nothing is required of a file: flags and the environment may give it.
  delete jsonSchema["required"];
  delete jsonSchema["~standard"];
  const { shorthand } = sectionRegistry.get(zodSchema as z.ZodType) ?? {};
  if (shorthand === undefined) return;
  const properties = jsonSchema["properties"] as Record<string, Json> | undefined;
  const plain = properties?.[shorthand];
  if (plain === undefined) return;
  const { description, ...mapping } = jsonSchema;
  for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
  delete mapping["default"];
  Object.assign(jsonSchema, { description, anyOf: [{ type: plain["type"] }, mapping] });
}
