/** What is judged alike on both sides: how far away a server is, and who can read along. Pure. */
import { type Endpoint, endpointAddress } from "../../config/endpoint.ts";
import { ERROR_CODES } from "../../errors/codes.ts";
import type { Df2RedisError } from "../../errors/df2redis-error.ts";
import type { CheckList } from "./check-list.ts";

/** Above this a server is not in the same data centre. */
const FAR_MS = 20;

type Reached = { readonly endpoint: Endpoint; readonly latencyMs: number };

export function judgeConnection(list: CheckList, { endpoint, latencyMs }: Reached): void {
  const found = `${endpointAddress(endpoint)} answers in ${milliseconds(latencyMs)} (median of 20 PINGs)`;
  if (latencyMs <= FAR_MS) list.ok("reachable", found);
  else list.warning("reachable", found, "Run df2redis near the servers: the copy will be slower over this distance.");
  judgeTls(list, endpoint);
}

export function judgeUnreachable(list: CheckList, error: Df2RedisError): void {
  list.problem("reachable", error.message, ERROR_CODES[error.code].action);
}

function judgeTls(list: CheckList, { tls, host }: Endpoint): void {
  if (tls === undefined) {
    if (isLoopback(host)) list.ok("tls", "plain TCP, which does not leave this machine");
    else
      list.warning(
        "tls",
        "plain TCP",
        "Passwords and data can be read on the way; use TLS unless the network is yours.",
      );
  } else if (tls.insecure) {
    list.warning(
      "tls",
      "TLS that takes any certificate",
      "Nobody proves who is at the other end; give the CA instead.",
    );
  } else list.ok("tls", "TLS, the certificate is checked");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

export type ClientRoom = {
  readonly maxClients: number | undefined;
  readonly connectedClients: number | undefined;
  /** How many connections a run opens. */
  readonly needed: number;
};

export function judgeClientRoom(list: CheckList, { maxClients, connectedClients, needed }: ClientRoom): void {
  const want = `a run opens ${needed}`;
  if (maxClients === undefined || connectedClients === undefined) {
    list.unknown("connections", `its limit of connections is hidden; ${want}`);
    return;
  }
  const found = `${connectedClients} of ${maxClients} connections in use; ${want}`;
  if (maxClients - connectedClients >= needed) list.ok("connections", found);
  else list.problem("connections", found, "Raise maxclients, or close connections of others.");
}

/** What a server would not tell, so that the reader knows why something is unknown. */
export function judgeHidden(list: CheckList, refusals: ReadonlyMap<string, string>): void {
  if (refusals.size === 0) return;
  const [first] = refusals.values();
  list.unknown("hidden", `it does not answer ${[...refusals.keys()].join(", ")}: ${first}`);
}
