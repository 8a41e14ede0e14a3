/**
 * Turns what node:net, node:tls and OpenSSL raise into an operator's words. The raw error stays as the cause.
 */
import type { Endpoint } from "../config/endpoint.ts";
import { endpointAddress } from "../config/endpoint.ts";
import type { ErrorCode } from "../errors/codes.ts";
import { Df2RedisError, type ErrorContext } from "../errors/df2redis-error.ts";
import { type PeerRole, ROLE_WORDS } from "./peer-role.ts";

export type Peer = { readonly endpoint: Endpoint; readonly role: PeerRole };

/** "source Dragonfly at host:port" */
export function peerName(peer: Peer): string {
  return `${ROLE_WORDS[peer.role]} at ${endpointAddress(peer.endpoint)}`;
}

export function peerContext(peer: Peer): ErrorContext {
  return { role: peer.role, address: endpointAddress(peer.endpoint) };
}

export function peerError(code: ErrorCode, peer: Peer, message: string, cause?: unknown): Df2RedisError {
  return new Df2RedisError(code, message, { context: peerContext(peer), ...(cause === undefined ? {} : { cause }) });
}

const CONNECT_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (connection refused)",
  ENOTFOUND: "the host name is unknown",
  EAI_AGAIN: "the name server did not answer",
  EHOSTUNREACH: "the host cannot be reached (no route to it)",
  ENETUNREACH: "the network cannot be reached",
  EADDRNOTAVAIL: "this machine has no address or no free port to connect from",
  ETIMEDOUT: "the connection attempt timed out; a firewall may drop it",
  ECONNRESET: "the connection was reset while it was being opened",
  EPIPE: "the connection was closed while it was being opened",
  EMFILE: "this process has too many open files (see `ulimit -n`)",
  ENFILE: "this machine has too many open files",
};

const LOST_WORDS: Readonly<Record<string, string>> = {
  ECONNRESET: "was reset by the other side",
  EPIPE: "was closed by the other side while we were writing",
  ETIMEDOUT: "timed out: the other side no longer answers on the network",
  EHOSTUNREACH: "broke: the host can no longer be reached",
  ENETUNREACH: "broke: the network can no longer be reached",
  ECONNABORTED: "was aborted",
};

const TLS_WORDS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed; give it as the CA, or the CA that signed it",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is signed by a CA that is not trusted here; give that CA",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is signed by a CA that is not trusted here; give that CA",
  UNABLE_TO_GET_ISSUER_CERT: "the CA of its certificate is not trusted here; give that CA",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the CA of its certificate is not trusted here; give that CA",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet; is this machine's clock right?",
  CERT_REVOKED: "its certificate is revoked",
  CERT_SIGNATURE_FAILURE: "the signature of its certificate does not fit the CA",
};

type RawError = Error & { code?: string; reason?: string; errors?: readonly unknown[] };

function isRaw(thrown: unknown): thrown is RawError {
  return thrown instanceof Error;
}

/** An error raised before the connection was usable. */
export function connectError(peer: Peer, thrown: unknown): Df2RedisError {
  const code = rawCode(thrown);
  const why = tlsWords(thrown) ?? CONNECT_WORDS[code] ?? rawMessage(thrown);
  const errorCode = code === "ETIMEDOUT" ? "TIMEOUT" : "CONNECT_FAILED";
  return peerError(errorCode, peer, `Cannot connect to the ${peerName(peer)}: ${why}.`, thrown);
}

/** An error raised on a connection that was in use. */
export function lostError(peer: Peer, thrown: unknown): Df2RedisError {
  const tls = tlsWords(thrown);
  const how = tls === undefined ? (LOST_WORDS[rawCode(thrown)] ?? `broke: ${rawMessage(thrown)}`) : `broke: ${tls}`;
  return peerError("CONNECTION_LOST", peer, `The connection to the ${peerName(peer)} ${how}.`, thrown);
}

/** The other side ended the connection in an orderly way. */
export function closedError(peer: Peer): Df2RedisError {
  return peerError("CONNECTION_LOST", peer, `The connection to the ${peerName(peer)} was closed by the other side.`);
}

export function connectTimeoutError(peer: Peer, timeoutMs: number, stage: "tcp" | "tls"): Df2RedisError {
  const why =
    stage === "tcp"
      ? "the host did not answer; check the address and whether a firewall drops the packets"
      : "it took the connection but did not answer our TLS handshake; does that port speak TLS?";
  return peerError("TIMEOUT", peer, `Cannot connect to the ${peerName(peer)} within ${timeoutMs} ms: ${why}.`);
}

export function abortedError(peer: Peer, reason: unknown): Df2RedisError {
  if (reason instanceof Df2RedisError) return reason;
  return peerError(
    "INTERRUPTED",
    peer,
    `The connection to the ${peerName(peer)} was given up because the run stops.`,
    reason,
  );
}

/** node:tls throws at once when the CA, the certificate or the key cannot be used. */
export function tlsSettingsError(peer: Peer, thrown: unknown): Df2RedisError {
  const message = `The TLS settings for the ${ROLE_WORDS[peer.role]} cannot be used: ${settingsWords(thrown)}.`;
  return peerError("CONFIG_INVALID", peer, message, thrown);
}

function settingsWords(thrown: unknown): string {
  const code = rawCode(thrown);
  if (code === "ERR_OSSL_PEM_NO_START_LINE") return "the CA, the certificate or the key is not in PEM form";
  if (code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH") return "the key does not belong to the certificate";
  if (/bad.?decrypt|bad.?password|interrupted.?or.?cancelled/i.test(`${code} ${rawMessage(thrown)}`)) {
    return "the passphrase does not open the key";
  }
  return rawMessage(thrown);
}

function tlsWords(thrown: unknown): string | undefined {
  if (!isRaw(thrown)) return undefined;
  const code = rawCode(thrown);
  const known = TLS_WORDS[code];
  if (known !== undefined) return known;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `its certificate is for another name (${thrown.reason ?? thrown.message}); set the server name to one that it holds`;
  }
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE|HTTP_REQUEST/.test(code)) {
    return "it does not speak TLS on that port; use its TLS port, or turn TLS off for it";
  }
  if (/ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE|PEER_DID_NOT_RETURN_A_CERTIFICATE/.test(code)) {
    return "it wants a client certificate that we do not have (TLS handshake refused)";
  }
  if (/ALERT_UNKNOWN_CA|ALERT_BAD_CERTIFICATE|ALERT_CERTIFICATE/.test(code)) {
    return "it does not accept our client certificate";
  }
  if (/before secure TLS connection was established/.test(thrown.message)) {
    return "it closed the connection during the TLS handshake; does that port speak TLS?";
  }
  if (code.startsWith("ERR_SSL_") || code === "EPROTO")
    return `the TLS handshake failed (${thrown.reason ?? thrown.message})`;
  return undefined;
}

function rawCode(thrown: unknown): string {
  return isRaw(thrown) && typeof thrown.code === "string" ? thrown.code : "";
}

function rawMessage(thrown: unknown): string {
  if (!isRaw(thrown)) return String(thrown);
  // A name with several addresses gives an AggregateError, whose own message is empty.
  if (thrown.message === "" && thrown.errors !== undefined) return thrown.errors.map((e) => rawMessage(e)).join("; ");
  return thrown.message;
}
