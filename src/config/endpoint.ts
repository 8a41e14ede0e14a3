/**
 * Where and how to reach a server. Made by the configuration; used by `net`.
 */
import type { Secret } from "./secret.ts";

export type TlsSettings = {
  /** PEM of the CAs to trust; the system's when undefined. */
  readonly ca: string | undefined;
  /** PEM of the client certificate and its key. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly keyPassphrase: Secret | undefined;
  /** Name to ask for and to verify (SNI); the host when undefined. */
  readonly serverName: string | undefined;
  /** True trusts any certificate. */
  readonly insecure: boolean;
};

export type Endpoint = {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  /** undefined: plain TCP. */
  readonly tls: TlsSettings | undefined;
};

/** `host:port` for messages. */
export function endpointAddress(endpoint: Pick<Endpoint, "host" | "port">): string {
  return endpoint.host.includes(":") ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}
