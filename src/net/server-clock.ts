/** How a server's clock stands against ours. */
import { replyInteger, replyItems } from "../resp/reply.ts";
import type { Inquiry } from "./inquiry.ts";

export type ClockReading = {
  /** The server's clock minus ours. */
  readonly offsetMs: number;
  /** How far that may be off: half of the way there and back. */
  readonly errorMs: number;
};

/** @returns undefined when the server does not tell its time */
export async function readClock(
  inquiry: Inquiry,
  nowMs: () => number = () => performance.timeOrigin + performance.now(),
): Promise<ClockReading | undefined> {
  const sentMs = nowMs();
  const items = replyItems(await inquiry.ask("TIME"));
  const answeredMs = nowMs();
  const seconds = replyInteger(items?.[0]);
  const microseconds = replyInteger(items?.[1]);
  if (seconds === undefined || microseconds === undefined) return undefined;
  const serverMs = seconds * 1000 + microseconds / 1000;
  return { offsetMs: serverMs - (sentMs + answeredMs) / 2, errorMs: (answeredMs - sentMs) / 2 };
}
