import { expect, test } from "vitest";
import { moduleUrl } from "./module-url.ts";

test("the ending is that of the importer", () => {
  expect(moduleUrl("./a.ts", "file:///x/src/cli/b.ts").href).toBe("file:///x/src/cli/a.ts");
  expect(moduleUrl("../net/a.ts", "file:///x/dist/cli/b.js").href).toBe("file:///x/dist/net/a.js");
});
