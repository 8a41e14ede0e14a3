/** Every check that the doctor can make is in docs/doctor.md, and nothing else is. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const HERE = new URL("./", import.meta.url);
const COMMON = ["reachable", "tls", "connections", "hidden"];

/** Names as they stand in the calls of a file. Those that are made up as it goes are `feature-<name>`. */
function namesIn(file: string): string[] {
  const source = readFileSync(new URL(file, HERE), "utf8");
  const literal = [...source.matchAll(/list\.(?:ok|warning|problem|unknown)\(\s*"([a-z-]+)"/g)].map(([, name]) => name);
  return [...literal.flatMap((name) => name ?? []), ...(source.includes("`feature-${") ? ["feature-<name>"] : [])];
}

test("docs/doctor.md names them all", () => {
  const made = [
    ...["source", "target"].flatMap((group) =>
      [...namesIn(`judge-${group}.ts`), ...COMMON].map((name) => `${group}.${name}`),
    ),
    ...[...namesIn("judge-fit.ts"), ...namesIn("judge-features.ts")].map((name) => `fit.${name}`),
  ];
  const page = readFileSync(new URL("../../../docs/doctor.md", HERE), "utf8");
  const documented = [...page.matchAll(/^\| `((?:source|target|fit)\.[^`]+)`/gm)].map(([, id]) => id ?? "");
  expect(documented.toSorted()).toEqual([...new Set(made)].toSorted());
  expect(namesIn("judge-connection.ts").toSorted()).toEqual(expect.arrayContaining(COMMON));
  expect(readdirSync(HERE).filter((name) => /^judge-\w+\.ts$/.test(name))).toHaveLength(5);
});
