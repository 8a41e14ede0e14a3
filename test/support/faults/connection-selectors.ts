/** Tells the connections of a replica to a Dragonfly master apart by what the client says first (docs/protocol.md §1, §2). */
import type { ConnectionSelector } from "./fault-rules.ts";

/** `DFLY FLOW <master id> <sync id> <flow>`, as a RESP array. */
const FLOW = /\$4\r\nDFLY\r\n\$4\r\nFLOW\r\n\$\d+\r\n[^\r]*\r\n\$\d+\r\n[^\r]*\r\n\$\d+\r\n(\d+)\r\n/i;
/** The same as an inline command. */
const INLINE_FLOW = /^DFLY FLOW \S+ \S+ (\d+)[ \r]/im;

export function flowConnection(flow: number, nth?: number): ConnectionSelector {
  return selector(`flow ${flow}`, (head) => (FLOW.exec(head) ?? INLINE_FLOW.exec(head))?.[1] === String(flow), nth);
}

export function controlConnection(nth?: number): ConnectionSelector {
  return selector("control", (head) => /REPLCONF/i.test(head), nth);
}

function selector(name: string, matches: (head: string) => boolean, nth?: number): ConnectionSelector {
  return { name, matches, ...(nth === undefined ? {} : { nth }) };
}
