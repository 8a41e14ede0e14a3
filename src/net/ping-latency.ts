/** How long a server takes to answer, in the middle of some tries one after the other. */
import type { Inquiry } from "./inquiry.ts";

const PINGS = 20;

export async function medianPingMs(inquiry: Inquiry, pings = PINGS): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < pings; i++) {
    const sentMs = performance.now();
    // A refusal takes as long as an answer.
    await inquiry.ask("PING");
    times.push(performance.now() - sentMs);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(pings / 2)] ?? 0;
}
