/**
 * Two projects. `unit` needs nothing but Node; `it` (`*.it.test.ts`) starts real servers such as redis-server.
 * Property tests (`*.prop.test.ts`) belong to `unit`.
 */
import { defineConfig } from "vitest/config";

const ignored = ["**/node_modules/**", "**/dist/**", "**/.tools/**", "test/fixtures/**"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,test,scripts,bench}/**/*.test.ts"],
          exclude: [...ignored, "**/*.it.test.ts"],
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
        },
      },
    ],
  },
});
