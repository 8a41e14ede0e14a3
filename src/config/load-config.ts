/**
 * Loads the configuration: flags over environment over file over defaults. Either gives a complete `Config` or throws one
 * `Df2RedisError` that lists every mistake of all of them. No password appears in that error, wherever the mistake is.
 */
import { dirname, join } from "node:path";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { buildEndpoint } from "./build-endpoint.ts";
import { ConfigFiles, type ReadFile, readFailure } from "./config-files.ts";
import { endpointAddress, type Endpoint } from "./endpoint.ts";
import { CONFIG_FILE_VARIABLE, type Environment, readEnvLayer } from "./env-layer.ts";
import { expandAddresses } from "./expand-addresses.ts";
import { readFileLayer } from "./file-layer.ts";
import { type Flags, readFlagLayer } from "./flag-layer.ts";
import { emptyLayer, type Layer } from "./layer.ts";
import { mergeLayers, type MergedValues, toTree } from "./merge-layers.ts";
import { compareMistakes, type Mistake, mistakeText, type Origin } from "./mistake.ts";
import { type DatabaseRule, parseDatabasePairs } from "./database-pairs.ts";
import {
  type AdvancedConfig,
  type ConflictConfig,
  configSchema,
  type ErrorsConfig,
  type ExpiryConfig,
  type LogConfig,
  type RawConfig,
  SIDES,
  type SweepConfig,
  type UnsupportedConfig,
  type WriteMode,
} from "./schema.ts";

const DEFAULT_STATE_DIR = "df2redis-state";

export type Config = {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly taskName: string;
  /** Directory of this task's files. */
  readonly taskDir: string;
  readonly writeMode: WriteMode;
  /** Empty: each database keeps its number. */
  readonly databases: readonly DatabaseRule[];
  readonly conflict: ConflictConfig;
  readonly unsupported: UnsupportedConfig;
  readonly sweep: SweepConfig;
  readonly expiry: ExpiryConfig;
  readonly errors: ErrorsConfig;
  readonly log: LogConfig;
  readonly advanced: AdvancedConfig;
};

export type ConfigSources = {
  readonly file?: string | undefined;
  readonly env: Environment;
  readonly flags: Flags;
  /** Throws when the file cannot be read. */
  readonly readFile: ReadFile;
};

export function loadConfig(sources: ConfigSources): Config {
  const file = configFile(sources);
  const layers = [readConfigFile(file, sources.readFile), readEnvLayer(sources.env), readFlagLayer(sources.flags)];
  for (const layer of layers) expandAddresses(layer);
  const mistakes = layers.flatMap((layer) => layer.mistakes);
  const values = mergeLayers(layers);
  // A file that could not be read as a whole may well hold what looks missing.
  if (!mistakes.some(isWholeFile)) noteMissing(values, mistakes);
  if (mistakes.length > 0) throw invalid(mistakes);
  const raw = configSchema.parse(toTree(values));
  const files = new ConfigFiles(values, file === undefined ? "." : dirname(file.path), sources.readFile, mistakes);
  const config = build(raw, values, files, mistakes);
  if (mistakes.length > 0) throw invalid(mistakes);
  return config;
}

type NamedFile = { readonly path: string; readonly origin: Origin };

function configFile({ file, env }: ConfigSources): NamedFile | undefined {
  if (file !== undefined) return { path: file, origin: { kind: "flag", name: "config" } };
  const named = env[CONFIG_FILE_VARIABLE];
  return named === undefined || named === ""
    ? undefined
    : { path: named, origin: { kind: "env", name: CONFIG_FILE_VARIABLE } };
}

function readConfigFile(file: NamedFile | undefined, readFile: ReadFile): Layer {
  if (file === undefined) return emptyLayer();
  let content: string;
  try {
    content = readFile(file.path);
  } catch (thrown) {
    const text = `the file ${file.path} cannot be read: ${readFailure(thrown)}`;
    return { values: new Map(), mistakes: [{ origin: file.origin, path: "", text, unreadable: true }] };
  }
  return readFileLayer(file.path, content);
}

function isWholeFile(mistake: Mistake): boolean {
  return mistake.unreadable === true || (mistake.path === "" && mistake.origin.kind === "file");
}

function noteMissing(values: MergedValues, mistakes: Mistake[]): void {
  for (const side of SIDES) {
    const path = `${side}.addr`;
    if (values.has(path) || mistakes.some((mistake) => mistake.path === path || mistake.path === side)) continue;
    const text = `is missing; give it in the file, as DF2REDIS_${side.toUpperCase()} or with --${side}`;
    mistakes.push({ origin: { kind: "none" }, path: side, text });
  }
}

function build(raw: RawConfig, values: MergedValues, files: ConfigFiles, mistakes: Mistake[]): Config {
  const source = buildEndpoint({ side: "source", raw: raw.source, values, files, mistakes });
  const target = buildEndpoint({ side: "target", raw: raw.target, values, files, mistakes });
  const origin = (path: string) => values.get(path)?.origin ?? ({ kind: "none" } as const);
  if (endpointAddress(source) === endpointAddress(target)) {
    mistakes.push({ origin: origin("target.addr"), path: "target.addr", text: "is the address of the source as well" });
  }
  const { batchBytes, windowBytes } = raw.advanced;
  if (windowBytes < batchBytes) {
    const path = "advanced.windowBytes";
    const at = values.has(path) ? origin(path) : origin("advanced.batchBytes");
    mistakes.push({
      origin: at,
      path,
      text: `is ${windowBytes}, less than advanced.batchBytes (${batchBytes}); allowed: at least as much`,
    });
  }
  return {
    source,
    target,
    taskName: raw.taskName,
    taskDir: join(files.path("stateDir") ?? DEFAULT_STATE_DIR, raw.taskName),
    writeMode: raw.target.writeMode,
    databases: raw.databases === undefined ? [] : parseDatabasePairs(raw.databases),
    conflict: raw.conflict,
    unsupported: raw.unsupported,
    sweep: raw.sweep,
    expiry: raw.expiry,
    errors: raw.errors,
    log: { ...raw.log, dir: files.path("log.dir") },
    advanced: raw.advanced,
  };
}

function invalid(mistakes: readonly Mistake[]): Df2RedisError {
  const sorted = mistakes.toSorted(compareMistakes).map(mistakeText);
  const code = mistakes.every((mistake) => mistake.unreadable === true) ? "CONFIG_UNREADABLE" : "CONFIG_INVALID";
  const head =
    sorted.length === 1 ? "The configuration has a mistake:" : `The configuration has ${sorted.length} mistakes:`;
  return new Df2RedisError(code, [head, ...sorted.map((line) => `  ${line}`)].join("\n"), {
    context: { mistakes: sorted.length },
  });
}
