/**
 * Plants one breach of each layer and house rule into a copy of the lint configuration in a temporary folder, and sees the linter
 * refuse it there. The order of the layers is written down here a second time on purpose: as docs/design.md §2 has it.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

const LAYERS = "cli server commands replication checkpoint source net rdb codec bytes".split(" ");
/** Folders on the same rung as one of `LAYERS`. */
const SAME_RUNG: Readonly<Record<string, string>> = {
  checker: "replication",
  target: "source",
  journal: "rdb",
  resp: "rdb",
};
const SHARED = ["observability", "runtime", "config", "errors"];
const PURE = ["bytes", "codec", "rdb", "journal", "resp", "target/translate"];
const FOLDERS = [...LAYERS, ...Object.keys(SAME_RUNG)];

type Plant = { readonly path: string; readonly code: string };

function importOf(
  from: string,
  to: string,
  statement = (path: string) => `import { a } from "${path}";\nvoid a;`,
): Plant {
  const up = "../".repeat(from.split("/").length);
  const name = to.replaceAll(/[^a-z]/gu, "-");
  return { path: `src/${from}/imports-${name}.ts`, code: `${statement(`${up}${to}/a.ts`)}\n` };
}

function isBelow(upper: string, lower: string): boolean {
  const rung = (folder: string): number => LAYERS.indexOf(SAME_RUNG[folder] ?? folder);
  return rung(lower) > rung(upper) || (upper === "rdb" && lower === "journal");
}

const pairs = FOLDERS.flatMap((from) => FOLDERS.filter((to) => to !== from).map((to) => ({ from, to })));
const legal: readonly Plant[] = [
  ...pairs.filter(({ from, to }) => isBelow(from, to)).map(({ from, to }) => importOf(from, to)),
  ...FOLDERS.flatMap((from) => ["config", "errors"].map((to) => importOf(from, to))),
  ...FOLDERS.filter((from) => !PURE.includes(from)).flatMap((from) =>
    ["observability", "runtime"].map((to) => importOf(from, to)),
  ),
  ...["rdb", "journal", "resp", "codec", "bytes", "config", "errors"].map((to) => importOf("target/translate", to)),
  ...["net", "rdb", "journal", "resp", "codec", "bytes", "errors"].map((to) => importOf("simulator", to)),
  ...["config", "observability", "runtime"].map((from) => importOf(from, "errors")),
  { path: "src/cli/commands/simulate.ts", code: 'import { a } from "../../simulator/a.ts";\nvoid a;\n' },
  {
    path: "src/rdb/decoder.test.ts",
    code: 'import { a } from "../simulator/a.ts";\nimport { b } from "node:net";\nvoid [a, b];\n',
  },
  {
    path: "src/target/translate/own.ts",
    code: 'import { a } from "../losses.ts";\nimport { b } from "./a.ts";\nvoid [a, b];\n',
  },
  {
    path: "src/codec/zstd.ts",
    code: 'import { a } from "node:zlib";\nimport { b } from "node:buffer";\nvoid [a, b];\n',
  },
  { path: "src/net/connection.ts", code: 'import { a } from "node:net";\nvoid a;\nsetTimeout(() => {}, 1);\n' },
  { path: "src/bytes/hot.ts", code: "export const first = (list: number[]): number => list[0]!;\n" },
  { path: "src/net/error.ts", code: "export const isError = (x: unknown): boolean => x instanceof Error;\n" },
];

const illegalImports: readonly Plant[] = [
  ...pairs.filter(({ from, to }) => !isBelow(from, to)).map(({ from, to }) => importOf(from, to)),
  ...[...FOLDERS, ...SHARED, "target/translate"].map((from) => importOf(from, "simulator")),
  ...SHARED.flatMap((from) => FOLDERS.map((to) => importOf(from, to))),
  ...["observability", "runtime", "config"].map((to) => importOf("errors", to)),
  ...PURE.flatMap((from) => ["observability", "runtime"].map((to) => importOf(from, to))),
  ...["net", "source", "replication", "cli"].map((to) => importOf("target/translate", to)),
  ...["source", "target", "replication", "commands", "cli"].map((to) => importOf("simulator", to)),
  { path: "src/target/translate/writer.ts", code: 'import { a } from "../writer.ts";\nvoid a;\n' },
  // The door is one file, not its neighbours.
  { path: "src/cli/simulate.ts", code: 'import { a } from "../simulator/a.ts";\nvoid a;\n' },
  { path: "src/cli/commands/simulate-too.ts", code: 'import { a } from "../../simulator/a.ts";\nvoid a;\n' },
  { path: "src/net/types-only.ts", code: 'import type { A } from "../source/a.ts";\nexport type B = A;\n' },
  { path: "src/net/re-export.ts", code: 'export { a } from "../source/a.ts";\n' },
  { path: "src/net/test-support.ts", code: 'import { a } from "../../test/support/a.ts";\nvoid a;\n' },
];

const IO_MODULES =
  "node:net node:tls node:fs node:fs/promises node:timers node:timers/promises node:worker_threads net pino zod".split(
    " ",
  );
const IO_GLOBALS = "setTimeout setInterval setImmediate process console fetch performance globalThis".split(" ");
const illegalIo: readonly Plant[] = PURE.flatMap((folder) => [
  ...IO_MODULES.map((module) => ({
    path: `src/${folder}/io-${module.replaceAll(/[^a-z_]/gu, "-")}.ts`,
    code: `import { a } from "${module}";\nvoid a;\n`,
  })),
  ...IO_GLOBALS.map((name) => ({
    path: `src/${folder}/global-${name}.ts`,
    code: `export const a: unknown = ${name};\n`,
  })),
  { path: `src/${folder}/clock.ts`, code: "export const a = Date.now();\n" },
]);

const LONG_FUNCTION = `export function long(): number {\n  let n = 0;\n${"  n += 1;\n".repeat(80)}  return n;\n}\n`;
const houseRules: readonly (Plant & { readonly rule: string })[] = [
  {
    rule: "no-bare-error",
    path: "src/net/bare.ts",
    code: 'export function f(): never {\n  throw new Error("x");\n}\n',
  },
  {
    rule: "no-bare-error",
    path: "src/cli/reject.ts",
    code: 'export const f = async (): Promise<never> => Promise.reject(new RangeError("x"));\n',
  },
  { rule: "no-explicit-any", path: "src/net/any.ts", code: "export const f = (a: any): unknown => a;\n" },
  {
    rule: "no-non-null-assertion",
    path: "src/rdb/bang.ts",
    code: "export const f = (a: number[]): number => a[0]!;\n",
  },
  {
    rule: "no-cycle",
    path: "src/net/cycle-a.ts",
    code: 'import { b } from "./cycle-b.ts";\nexport const a = (): unknown => b;\n',
  },
  {
    rule: "no-cycle",
    path: "src/net/cycle-b.ts",
    code: 'import { a } from "./cycle-a.ts";\nexport const b = (): unknown => a;\n',
  },
  { rule: "no-default-export", path: "src/net/default.ts", code: "export default 1;\n" },
  { rule: "max-lines)", path: "src/net/long-file.ts", code: "export {};\n".repeat(501) },
  { rule: "max-lines-per-function", path: "src/net/long-function.ts", code: LONG_FUNCTION },
  {
    rule: "no-floating-promises",
    path: "src/net/floating.ts",
    code: "const f = async (): Promise<void> => {};\nf();\n",
  },
];

type Finding = { readonly code: string; readonly filename: string };

let folder = "";
let findings: readonly Finding[] = [];

function lint(): Promise<readonly Finding[]> {
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
  const { promise, resolve, reject } = Promise.withResolvers<readonly Finding[]>();
  const options = { cwd: folder, maxBuffer: 64 << 20 };
  execFile(process.execPath, [oxlint, "--format=json", "src"], options, (_error, stdout, stderr) => {
    try {
      const report: { readonly diagnostics: readonly Finding[] } = JSON.parse(stdout);
      resolve(report.diagnostics);
    } catch {
      reject(new Error(`oxlint did not run: ${stdout.slice(0, 2000)}${stderr}`));
    }
  });
  return promise;
}

async function plant({ path, code }: Plant): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, code);
}

function findingsIn(path: string, rule: string): readonly Finding[] {
  return findings.filter((finding) => finding.filename.endsWith(path) && finding.code.includes(rule));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "df2redis-lint-"));
  for (const name of ["oxlint.config.ts", "tsconfig.json", "package.json", "scripts/lint"]) {
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await Promise.all([...legal, ...illegalImports, ...illegalIo, ...houseRules].map(plant));
  findings = await lint();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const RESTRICTED = "no-restricted-";

describe("layers", () => {
  test("imports that point down pass", () => {
    const refused = legal.filter(
      ({ path }) => findingsIn(path, RESTRICTED).length > 0 || findingsIn(path, "no-bare-error").length > 0,
    );
    expect(refused.map(({ path }) => path)).toEqual([]);
    expect(findingsIn("src/bytes/hot.ts", "no-non-null-assertion")).toEqual([]);
    expect(legal.length).toBeGreaterThan(100);
  });

  test("imports that point up or aside, to the simulator or out of src fail", () => {
    const passed = illegalImports.filter(({ path }) => findingsIn(path, "no-restricted-imports").length === 0);
    expect(passed.map(({ path }) => path)).toEqual([]);
    expect(illegalImports.length).toBeGreaterThan(150);
  });

  test("sockets, files, timers, threads, loggers and clocks fail in sans-IO layers", () => {
    const passed = illegalIo.filter(({ path }) => findingsIn(path, RESTRICTED).length === 0);
    expect(passed.map(({ path }) => path)).toEqual([]);
  });
});

describe("house rules", () => {
  test.each(houseRules)("$rule fails in $path", ({ path, rule }) => {
    expect(findingsIn(path, rule)).not.toEqual([]);
  });
});
