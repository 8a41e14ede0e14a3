/** Waits for a condition instead of for a time. */
import { setTimeout as delay } from "node:timers/promises";

export async function until(condition: () => boolean, what = "the condition", timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await delay(2);
  }
}

/** The same where a server has to be asked. */
export async function eventually(
  condition: () => Promise<boolean>,
  what = "the condition",
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await delay(20);
  }
}

/** What `promise` was rejected with; fails when it was not. */
export async function rejection<E extends Error>(promise: Promise<unknown>): Promise<E> {
  try {
    await promise;
  } catch (error) {
    return error as E;
  }
  throw new Error("was not rejected");
}
