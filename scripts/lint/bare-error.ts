/**
 * oxlint plugin with one rule: errors that this program raises on purpose are `Df2RedisError`s with a documented code
 * (src/errors/codes.ts). oxlint has no `no-restricted-syntax`, so the rule is our own.
 */
const BUILT_IN: ReadonlySet<string> = new Set(["Error", "TypeError", "RangeError", "SyntaxError", "AggregateError"]);
const MESSAGE = "Use Df2RedisError with a code of src/errors/codes.ts instead of a bare error.";

/** The part of the linter's plugin interface (ESLint's) that this rule uses. */
type CallNode = { readonly callee: { readonly type: string; readonly name?: string } };
type RuleContext = { report(problem: { readonly node: CallNode; readonly message: string }): void };

const noBareError = {
  meta: { type: "problem", docs: { description: MESSAGE } },
  create(context: RuleContext) {
    const check = (node: CallNode): void => {
      const { callee } = node;
      if (callee.type === "Identifier" && BUILT_IN.has(callee.name ?? "")) context.report({ node, message: MESSAGE });
    };
    return { NewExpression: check, CallExpression: check };
  },
};

export default { meta: { name: "df2redis" }, rules: { "no-bare-error": noBareError } };
