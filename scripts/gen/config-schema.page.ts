/** docs/config.schema.json from the configuration schema. */
import { configJsonSchema } from "../../src/config/json-schema.ts";
import type { Page } from "./page.ts";

/** Lists of plain values stand on one line, as the formatter wants them. */
function format(schema: unknown): string {
  const text = JSON.stringify(schema, null, 2);
  return text.replaceAll(/\[\n([^[\]{}]*?)\n\s*\]/g, (_list, items: string) => {
    const values = items.split("\n").map((item) => item.trim());
    return `[${values.join(" ")}]`;
  });
}

export const page: Page = {
  path: "docs/config.schema.json",
  render: () => `${format(configJsonSchema())}\n`,
};
