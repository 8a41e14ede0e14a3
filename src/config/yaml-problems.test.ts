import { parseDocument } from "yaml";
import { expect, test } from "vitest";
import { yamlProblem } from "./yaml-problems.ts";

test.each([
  "a: [1",
  "a: {b: 1",
  'a: "x',
  "a: 'x",
  "a: b: c",
  "a\nb: 1",
  "a: *x y\n",
  '"\\q": 1',
  "%YAML x\n---\n",
  "a: &x &y 1",
  "a: 1\n---\nb: 1",
])("%j has words of its own", (text) => {
  const { errors, warnings } = parseDocument(text);
  for (const { code } of [...errors, ...warnings]) expect(yamlProblem(code)).not.toContain("this cannot be read");
  expect(errors.length + warnings.length).toBeGreaterThan(0);
});
