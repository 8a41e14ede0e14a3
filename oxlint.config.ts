/** Lint rules. The layers of `src/` come from scripts/lint/layers.ts; the rest of the house rules stands here. */
import { layerOverrides } from "./scripts/lint/layers.ts";

const TESTS = ["**/*.test.ts", "test/**/*.ts", "bench/**/*.ts"];

export default {
  plugins: ["eslint", "typescript", "unicorn", "oxc", "import", "promise", "node", "vitest"],
  jsPlugins: ["./scripts/lint/bare-error.ts"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  env: { node: true, es2024: true },
  options: { typeAware: true, reportUnusedDisableDirectives: "error" },
  ignorePatterns: ["dist/", ".tools/", "coverage/", "node_modules/", "test/fixtures/"],
  rules: {
    "import/no-cycle": "error",
    "import/no-default-export": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    "typescript/consistent-type-imports": "error",
    "no-var": "error",
    "prefer-const": "error",
    eqeqeq: "error",
    "max-lines": ["error", { max: 500, skipBlankLines: false, skipComments: false }],
    "max-lines-per-function": ["error", { max: 80, skipBlankLines: true, skipComments: true }],
    // For browsers: worker threads have no target origin.
    "unicorn/require-post-message-target-origin": "off",
    // Order is the point of most of our loops.
    "no-await-in-loop": "off",
    // A typed array's element is `number | undefined` to the compiler, and `as number` costs nothing in a hot loop.
    "typescript/no-unsafe-type-assertion": "off",
    "unicorn/consistent-function-scoping": "off",
    "unicorn/prefer-set-has": "off",
    "promise/always-return": "off",
    "no-new": "off",
    "oxc/no-map-spread": "off",
    // `import fc from "fast-check"` is how that package is used.
    "import/no-named-as-default": "off",
    "import/no-named-as-default-member": "off",
    // The compiler's noImplicitReturns does the same and knows exhaustive switches.
    "typescript/consistent-return": "off",
    // Helpers and property tests hold expectations too.
    "vitest/expect-expect": ["error", { assertFunctionNames: ["expect*", "assert*", "fc.assert", "typedErrorOr"] }],
    "vitest/no-standalone-expect": "off",
    "vitest/no-conditional-expect": "off",
  },
  overrides: [
    ...layerOverrides(),
    { files: ["src/bytes/**", "src/codec/**"], rules: { "typescript/no-non-null-assertion": "off" } },
    { files: ["src/**/*.ts"], excludeFiles: ["src/**/*.test.ts"], rules: { "df2redis/no-bare-error": "error" } },
    { files: TESTS, rules: { "max-lines": "off", "max-lines-per-function": "off" } },
    { files: ["*.config.ts", "scripts/lint/bare-error.ts"], rules: { "import/no-default-export": "off" } },
  ],
};
