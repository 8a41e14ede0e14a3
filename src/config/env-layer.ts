/**
 * Reads the environment. Every key has one variable, named after its path; an unknown `DF2REDIS_` variable is a mistake like an unknown
 * key. An empty variable counts as not set. `DF2REDIS_CONFIG` names the file; `DF2REDIS_TEST_…` belongs to the tests and is ignored.
 */
import { addValue, fromText } from "./check-value.ts";
import { CONFIG_FIELDS } from "./config-fields.ts";
import { nearest } from "./did-you-mean.ts";
import { emptyLayer, type Layer } from "./layer.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export const CONFIG_FILE_VARIABLE = "DF2REDIS_CONFIG";
export const IGNORED_PREFIX = "DF2REDIS_TEST_";
const PREFIX = "DF2REDIS_";

const FIELDS_BY_ENV = new Map(CONFIG_FIELDS.map((field) => [field.env, field]));

export function readEnvLayer(env: Environment): Layer {
  const layer = emptyLayer();
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || name.startsWith(IGNORED_PREFIX) || name === CONFIG_FILE_VARIABLE) continue;
    if (text === undefined || text === "") continue;
    const origin = { kind: "env", name } as const;
    const field = FIELDS_BY_ENV.get(name);
    if (field === undefined) layer.mistakes.push({ origin, path: "", text: unknownVariable(name) });
    else addValue(layer, field, fromText(field, text), origin);
  }
  return layer;
}

function unknownVariable(name: string): string {
  const meant = nearest(name, [...FIELDS_BY_ENV.keys(), CONFIG_FILE_VARIABLE]);
  return `is not a known variable${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}
