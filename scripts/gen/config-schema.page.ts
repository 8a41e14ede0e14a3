/** docs/config.schema.json from the configuration schema. */
import { configJsonSchema } from "../../src/config/json-schema.ts";
import type { Page } from "./page.ts";

export const page: Page = {
  path: "docs/config.schema.json",
  render: () => `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
};
