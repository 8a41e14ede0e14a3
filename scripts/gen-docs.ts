/** `npm run gen` writes the generated pages (scripts/gen/*.page.ts); with `--check` it only tells whether they are fresh. */
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Page } from "./gen/page.ts";

const root = join(import.meta.dirname, "..");
const pagesFolder = join(import.meta.dirname, "gen");
const checkOnly = process.argv.includes("--check");

async function loadPages(): Promise<Page[]> {
  const names = (await readdir(pagesFolder)).filter((name) => name.endsWith(".page.ts")).toSorted();
  const modules = await Promise.all(
    names.map(async (name) => (await import(join(pagesFolder, name))) as { readonly page: Page }),
  );
  return modules.map((module) => module.page);
}

/** Whether the page on disk is as it should be now. */
async function refresh(page: Page): Promise<boolean> {
  const file = join(root, page.path);
  const wanted = await page.render();
  const found = await readFile(file, "utf8").catch(() => undefined);
  if (found === wanted) return true;
  if (checkOnly) {
    console.error(`${page.path} is not fresh: run npm run gen.`);
    return false;
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, wanted);
  console.log(`wrote ${page.path}`);
  return true;
}

const fresh = await Promise.all((await loadPages()).map(refresh));
if (fresh.length === 0) {
  console.error("No page found in scripts/gen.");
  process.exitCode = 1;
} else if (fresh.includes(false)) {
  process.exitCode = 1;
}
