/**
 * Three projects. `unit` needs nothing but Node; `it` (`*.it.test.ts`) starts real servers such as redis-server; `load` (`*.load.test.ts`) needs the
 * machine for itself and so runs when the others are done. Property tests (`*.prop.test.ts`) belong to `unit`.
 */
import { defineConfig } from "vitest/config";

/** The conformance suites then share one running server. */
const sharesOneSource = (process.env["DRAGONFLY_URL"] ?? "") !== "";
const ignored = ["**/node_modules/**", "**/dist/**", "**/.tools/**", "test/fixtures/**"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,test,scripts,bench}/**/*.test.ts"],
          exclude: [...ignored, "**/*.it.test.ts", "**/*.load.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: "it",
          include: ["{src,test,scripts,bench}/**/*.it.test.ts"],
          exclude: ignored,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: !sharesOneSource,
        },
      },
      {
        test: {
          name: "load",
          include: ["{src,test,scripts,bench}/**/*.load.test.ts"],
          exclude: ignored,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
