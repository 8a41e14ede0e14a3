/** The seed of everything random in a test: given as DF2REDIS_TEST_SEED to run a failure again, else a new one. */
import { randomInt } from "node:crypto";

export const SEED_VARIABLE = "DF2REDIS_TEST_SEED";

export function testSeed(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const text = env[SEED_VARIABLE];
  if (text === undefined || text === "") return randomInt(1, 2 ** 31);
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${SEED_VARIABLE} is to be a whole number, not ${text}`);
  return Number(text);
}
