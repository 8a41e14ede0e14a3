/** What an endpoint means to node:net and node:tls. */
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { Endpoint, TlsSettings } from "../config/endpoint.ts";

/** How long one address of a name that has several is tried before the next one (Node's own 250 ms is short for far hosts). */
const ATTEMPT_TIMEOUT_MS = 2000;

export type TcpOptions = {
  readonly host: string;
  readonly port: number;
  readonly noDelay: true;
  readonly keepAlive: true;
  readonly keepAliveInitialDelay: number;
  readonly autoSelectFamilyAttemptTimeout: number;
};

export function tcpOptions(endpoint: Endpoint): TcpOptions {
  return {
    host: endpoint.host,
    port: endpoint.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 15_000,
    autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
  };
}

export function tlsOptions(endpoint: Endpoint, tls: TlsSettings): ConnectionOptions {
  const serverName = tls.serverName ?? (isIP(endpoint.host) === 0 ? endpoint.host : undefined);
  return {
    ...tcpOptions(endpoint),
    rejectUnauthorized: !tls.insecure,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.keyPassphrase === undefined ? {} : { passphrase: tls.keyPassphrase.reveal() }),
  };
}
