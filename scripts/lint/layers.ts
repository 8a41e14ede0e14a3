/**
 * The layers of `src/` (docs/design.md §2) as lint rules: the one place where they are written down for a machine.
 * An import may only point down `RUNGS`. Folders on one rung do not know each other, unless `SIBLINGS` says why.
 * `oxlint.config.ts` turns each folder into one override; `test/foundation/lint.test.ts` plants a breach of each and sees it fail.
 */
import { builtinModules } from "node:module";

export const RUNGS: readonly (readonly string[])[] = [
  ["cli"],
  ["server"],
  ["commands"],
  ["replication", "checker"],
  ["checkpoint"],
  ["source", "target"],
  ["net"],
  ["rdb", "journal", "resp"],
  ["codec"],
  ["bytes"],
];

/** Usable by every layer; among themselves again only downwards. */
export const SHARED_RUNGS: readonly (readonly string[])[] = [["observability", "runtime"], ["config"], ["errors"]];

/** A journal blob stands inside an RDB stream, so the RDB decoder knows journal entries. */
const SIBLINGS: Readonly<Record<string, readonly string[]>> = { rdb: ["journal"] };

/** Bytes in, values out: no socket, timer, logger or metric. */
export const SANS_IO: readonly string[] = ["bytes", "codec", "rdb", "journal", "resp", "target/translate"];

/** Files of `target/` without IO, the only ones there that `target/translate` may import. */
const PURE_TARGET_FILES: readonly string[] = ["losses", "capabilities", "features"];

/** Pure parts of Node that a sans-IO layer may use. Packages and everything else of Node are refused. */
const PURE_MODULES: readonly string[] = ["node:zlib", "node:buffer"];

const SIMULATOR_MAY_USE: readonly string[] = [
  "net",
  "rdb",
  "journal",
  "resp",
  "codec",
  "bytes",
  ...SHARED_RUNGS.flat(),
];

const TIME = "A sans-IO layer has no clock: take the time as a parameter.";
const IO = "A sans-IO layer does no IO and has no timer: bytes in, values out (docs/design.md §2).";

type RuleConfig = readonly ["error", ...unknown[]];
type Override = {
  readonly files: string[];
  readonly excludeFiles?: string[];
  readonly rules: Record<string, RuleConfig | "off">;
};
type Pattern = ({ readonly regex: string } | { readonly group: readonly string[] }) & { readonly message: string };

const TESTS = ["src/**/*.test.ts"];

/** All folders of `src/` that a layer's rule may have to refuse. */
const ALL: readonly string[] = [...RUNGS.flat(), ...SHARED_RUNGS.flat(), "simulator"];

/** The folders below `folder` in `rungs`, and the siblings that it may know. */
function below(folder: string, rungs: readonly (readonly string[])[]): readonly string[] {
  const at = rungs.findIndex((rung) => rung.includes(folder));
  return [...rungs.slice(at + 1).flat(), ...(SIBLINGS[folder] ?? [])];
}

/** The folders that a file in `folder` may import from, besides its own. */
export function allowedFrom(folder: string): readonly string[] {
  if (folder === "simulator") return SIMULATOR_MAY_USE;
  if (SHARED_RUNGS.flat().includes(folder)) return below(folder, SHARED_RUNGS);
  const top = folder.split("/")[0] ?? folder;
  const shared = SANS_IO.includes(folder) ? ["config", "errors"] : SHARED_RUNGS.flat();
  const rungs = folder === "target/translate" ? below("net", RUNGS) : below(top, RUNGS);
  return [...rungs, ...shared];
}

/** The folders that a file in `folder` must not import from. */
export function refusedFrom(folder: string): readonly string[] {
  const top = folder.split("/")[0] ?? folder;
  const allowed = allowedFrom(folder);
  return ALL.filter((other) => other !== top && !allowed.includes(other));
}

function folderPattern(folder: string): Pattern[] {
  const refused = refusedFrom(folder);
  if (refused.length === 0) return [];
  const message = `src/${folder} may only import what is below it (docs/design.md §2).`;
  return [{ regex: `^(?:\\.\\./)+(?:${refused.join("|")})/`, message }];
}

const OUTSIDE: Pattern = {
  regex: "^(?:\\.\\./)+(?:test|bench|scripts|dashboard|dist)/",
  message: "src/ does not know the folders beside it.",
};

/** The linter's regular expressions have no look-ahead, so what is refused is listed. */
function sansIoPatterns(folder: string): Pattern[] {
  const impure = builtinModules
    .map((name) => `node:${name.replace(/^node:/u, "")}`)
    .filter((name) => !PURE_MODULES.includes(name));
  const patterns: Pattern[] = [
    { regex: "^[A-Za-z@#][^:]*$", message: IO },
    { regex: `^(?:${impure.join("|")})$`, message: IO },
  ];
  if (folder !== "target/translate") return patterns;
  return [...patterns, { group: ["../*.ts", ...PURE_TARGET_FILES.map((name) => `!../${name}.ts`)], message: IO }];
}

function sansIoRules(): Override["rules"] {
  const globals = [
    "setTimeout",
    "setInterval",
    "setImmediate",
    "queueMicrotask",
    "process",
    "console",
    "fetch",
    "globalThis",
  ];
  const named = globals.map((name) => ({ name, message: IO }));
  return {
    "no-restricted-globals": ["error", ...named, { name: "performance", message: TIME }],
    "no-restricted-properties": ["error", { object: "Date", property: "now", message: TIME }],
  };
}

function layerOverride(folder: string): Override {
  const sansIo = SANS_IO.includes(folder);
  const patterns = [...folderPattern(folder), OUTSIDE, ...(sansIo ? sansIoPatterns(folder) : [])];
  return {
    files: [`src/${folder}/**/*.ts`],
    excludeFiles: TESTS,
    rules: { "no-restricted-imports": ["error", { patterns }], ...(sansIo ? sansIoRules() : {}) },
  };
}

/** The command `simulate` is the one door from the product to the simulator; it loads it only when it runs. */
function simulateCommand(): Override {
  return {
    files: ["src/cli/commands/simulate.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: [OUTSIDE] }] },
  };
}

/** One override per folder; later ones win, so nested folders come after those around them. */
export function layerOverrides(): Override[] {
  const folders = [...RUNGS.flat(), ...SHARED_RUNGS.flat(), "simulator", "target/translate"];
  return [...folders.map(layerOverride), simulateCommand()];
}
