/** src/bin.ts, built by the real build configuration, with a command line of our own behind it. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isNodeSupported } from "../../src/runtime/node-version.ts";

const root = join(import.meta.dirname, "../..");

/** Old Nodes lack `zstdDecompressSync`, so loading this module fails there, as the real command line would. */
const COMMAND_LINE = `import { zstdDecompressSync } from "node:zlib";
import { moduleUrl } from "../runtime/module-url.ts";
export async function main(argv: readonly string[]): Promise<number> {
  console.log(JSON.stringify({ argv, zstd: typeof zstdDecompressSync, worker: moduleUrl("./flow-worker.ts", import.meta.url).pathname }));
  return 3;
}
`;

function versionOf(node: string): string {
  return spawnSync(node, ["--version"], { encoding: "utf8" }).stdout?.trim().slice(1) ?? "";
}

/** A Node below our range, where the machine has one. */
function findOldNode(): string | undefined {
  const candidates = ["/usr/bin/node", "/usr/local/bin/node", ...(process.env["DF2REDIS_OLD_NODE"]?.split(":") ?? [])];
  return candidates.find((node) => {
    const version = versionOf(node);
    return version !== "" && !isNodeSupported(version);
  });
}

let folder = "";
let bin = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "df2redis-bin-"));
  for (const name of [
    "tsconfig.json",
    "tsconfig.build.json",
    "package.json",
    "src/bin.ts",
    "src/runtime/node-version.ts",
    "src/runtime/module-url.ts",
  ]) {
    cpSync(join(root, name), join(folder, name));
  }
  mkdirSync(join(folder, "src/cli"));
  writeFileSync(join(folder, "src/cli/main.ts"), COMMAND_LINE);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const built = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: folder, encoding: "utf8" });
  expect(built.stdout).toBe("");
  bin = join(folder, "dist/bin.js");
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("bin", () => {
  test.each(["dist/bin.js", "src/bin.ts"])(
    "%s hands the arguments on and ends with the command line's exit code",
    (file) => {
      const { status, stdout } = spawnSync(process.execPath, [join(folder, file), "a", "--b"], { encoding: "utf8" });
      const worker = join(folder, file === "src/bin.ts" ? "src/cli/flow-worker.ts" : "dist/cli/flow-worker.js");
      expect(JSON.parse(stdout)).toEqual({ argv: ["a", "--b"], zstd: "function", worker });
      expect(status).toBe(3);
    },
  );

  const oldNode = findOldNode();
  test.skipIf(oldNode === undefined)(
    "says on an old Node which version it wants, and nothing else (skipped where there is no old Node)",
    () => {
      const { status, stdout, stderr } = spawnSync(oldNode ?? "", [bin, "--help"], { encoding: "utf8" });
      expect(stderr).toBe(
        `df2redis needs Node ^22.18 || ^24.11 || >=26; this is Node ${versionOf(oldNode ?? "")}. ` +
          "Install Node 24, or start ./df2redis in a checkout, which brings its own.\n",
      );
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    },
  );
});
