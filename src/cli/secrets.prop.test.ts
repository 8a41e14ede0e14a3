/** No password appears in any output, whatever is wrong with the configuration around it (design invariant I10). */
import fc from "fast-check";
import { expect, test } from "vitest";
import { CliHarness } from "../../test/support/cli-harness.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import type { RunReplication } from "./cli-deps.ts";

/** Fails with everything it knows: logged as objects, in the context, in the chain of causes. */
const leaky: RunReplication = ({ config, logger, observer }) => {
  logger.info({ config, source: config.source, password: config.target.password }, `to ${JSON.stringify(config)}`);
  observer.warning(`target ${String(config.target.password)}`);
  const cause = new Error(`redis://user:${config.target.password?.reveal() ?? ""}@h:1 failed`);
  return Promise.reject(
    new Df2RedisError("AUTH_FAILED", "refused", { cause, context: { target: String(config.target.password) } }),
  );
};

const core = fc.stringMatching(/^[A-Za-z0-9]{8}$/).map((text) => `Zq${text}`);
const between = fc.stringMatching(/^[!-~]{0,4}$/);
/** Two recognisable halves with anything between them: neither half may be seen. */
const password = fc.tuple(core, between, core).map(([a, middle, b]) => ({ text: a + middle + b, halves: [a, b] }));

const FILES: readonly ((password: string) => string)[] = [
  (p) => p,
  (p) => `target: ${p}\n`,
  (p) => `target: "${p}"\n`,
  (p) => `target: redis://u:${p}@t:2\n`,
  (p) => `target: 'redis://u:${p}@t'\n`,
  (p) => `target: 'redis://${p.replaceAll(":", "")}@t:2'\n`,
  (p) => `target: 'redis:/u:${p}@t:2/9'\n`,
  (p) => `target: 'redis://u:${p}@t:2/9'\n`,
  (p) => `target: 'redis://u:p@t:2?password=${p}'\n`,
  (p) => `target: {addr: 't:2', password: ${p}}\n`,
  (p) => `target:\n  addr: t:2\n  password: ${p}\n`,
  (p) => `target:\n  addr: t:2\n  password: ${p}\n bogus: [\n`,
  (p) => `target:\n  addr: t:2\n  password '${p}'\n`,
  (p) => `target:\n  addr: t:2\n  password:${p}\n`,
  (p) => `target:\n  addr: t:2\n  pasword: ${p}\n`,
  (p) => `target:\n  addr: t:2\n  password: [${p}]\n`,
  (p) => `target:\n  addr: t:2\n  password: {${p}}\n`,
  (p) => `target:\n  addr: t:2\n  password:\n    ${p}: x\n`,
  (p) => `target: {${p}}\n`,
  (p) => `target: {addr: 't:2', ${p}}\n`,
  (p) => `target:\n  ? ${p}\n`,
  (p) => `target:\n  addr: t:2\n  password: "${p}\n`,
  (p) => `target:\n  addr: t:2\n  password: '${p}\n`,
  (p) => `target:\n  addr: t:2\n  password: *${p}\n`,
  (p) => `target:\n  addr: t:2\n  password: &${p}\n`,
  (p) => `target:\n  addr: t:2\n  password: !${p}\n`,
  (p) => `target:\n  addr: t:2\n  password: %${p}\n`,
  (p) => `target:\n  addr: t:2\n  password: |\n   ${p}\n  ${p}\n`,
  (p) => `target:\n  addr: t:2\n  passwordFile: ${p}\n`,
  (p) => `target:\n  addr: t:2\n  tls: ${p}\n`,
  (p) => `target:\n  addr: t:2\n  tls: {key: ${p}, keyPassphrase: ${p}}\n`,
  (p) => `%${p}\n---\ntarget: t:2\n`,
];

const FLAGS: readonly ((password: string) => string[])[] = [
  () => [],
  (p) => ["--target", p],
  (p) => [`--target=redis://u:${p}@t`],
  (p) => ["--target", `redis://:${p}@t:2/x`],
  (p) => ["--target", `redis://u:${encodeURIComponent(p)}@t:2`],
  (p) => [`--target-password=${p}`],
  (p) => ["--target-password", p],
  (p) => [`-p${p}`],
  (p) => ["--target", "t:2", p],
  (p) => ["--target", "t:2", "--target-password-file", p],
  (p) => ["--", p],
];

const ENVIRONMENTS: readonly ((password: string) => Record<string, string>)[] = [
  () => ({}),
  (p) => ({ DF2REDIS_TARGET: p }),
  (p) => ({ DF2REDIS_TARGET_PASSWORD: p }),
  (p) => ({ DF2REDIS_TARGET_PASWORD: p }),
  (p) => ({ DF2REDIS_TARGET_TLS: p }),
  (p) => ({ DF2REDIS_TARGET: `redis://u:${p}@:1` }),
];

test("no password in any output, for people or for programs", async () => {
  const given = fc.record({
    password,
    file: fc.constantFrom(...FILES),
    flags: fc.constantFrom(...FLAGS),
    env: fc.constantFrom(...ENVIRONMENTS),
    json: fc.boolean(),
    command: fc.constantFrom("replicate", "migrate", ""),
  });
  await fc.assert(
    fc.asyncProperty(given, async ({ password: { text, halves }, file, flags, env, json, command }) => {
      const readFile = (path: string): string => {
        if (path === "a.yaml") return `source: s:1\n${file(text)}`;
        throw Object.assign(new Error(path), { code: "ENOENT" });
      };
      const cli = new CliHarness(leaky, { readFile, env: env(text) });
      const first = command === "" ? text : command;
      const code = await cli.run(first, "-c", "a.yaml", ...(json ? ["--json"] : []), ...flags(text));
      expect(code).toBeGreaterThan(0);
      const output = cli.stdout + cli.stderr;
      expect(output.length).toBeGreaterThan(0);
      for (const half of halves) expect(output).not.toContain(half);
    }),
    { numRuns: 1500 },
  );
});
