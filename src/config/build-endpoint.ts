/** Makes the `Endpoint` of one side from its merged keys: reads password and PEM files and checks that TLS settings fit together. */
import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { ConfigFiles } from "./config-files.ts";
import type { Endpoint, TlsSettings } from "./endpoint.ts";
import type { MergedValues } from "./merge-layers.ts";
import type { Mistake } from "./mistake.ts";
import type { RawEndpoint, Side } from "./schema.ts";
import { Secret } from "./secret.ts";
import { parseServerAddress } from "./server-url.ts";

export type EndpointSources = {
  readonly side: Side;
  readonly raw: RawEndpoint;
  readonly values: MergedValues;
  readonly files: ConfigFiles;
  readonly mistakes: Mistake[];
};

export function buildEndpoint(sources: EndpointSources): Endpoint {
  const { raw } = sources;
  const result = parseServerAddress(raw.addr);
  const { host, port } = "address" in result ? result.address : { host: "", port: 0 };
  const password = raw.password ?? readPassword(sources);
  if (raw.user !== undefined && raw.password === undefined && raw.passwordFile === undefined) {
    note(sources, "user", "needs a password; allowed: `password`, `passwordFile` or a URL with both");
  }
  return { host, port, user: raw.user, password, tls: buildTls(sources) };
}

function note(sources: EndpointSources, key: string, text: string): void {
  const path = `${sources.side}.${key}`;
  sources.mistakes.push({ origin: sources.values.get(path)?.origin ?? { kind: "none" }, path, text });
}

function readPassword(sources: EndpointSources): Secret | undefined {
  const text = sources.files.text(`${sources.side}.passwordFile`)?.replace(/\r?\n$/, "");
  if (text === "") note(sources, "passwordFile", "the file is empty");
  return text === undefined || text === "" ? undefined : new Secret(text);
}

function buildTls(sources: EndpointSources): TlsSettings | undefined {
  const { tls } = sources.raw;
  const { enabled = Object.values(tls).some((value) => value !== undefined && value !== false) } = tls;
  if (!enabled) return undefined;
  if (tls.cert !== undefined && tls.key === undefined)
    note(sources, "tls.cert", "needs `tls.key`, the key of the certificate");
  if (tls.key !== undefined && tls.cert === undefined)
    note(sources, "tls.key", "needs `tls.cert`, the certificate of the key");
  const settings: TlsSettings = {
    ca: readPem(sources, "ca"),
    cert: readPem(sources, "cert"),
    key: readPem(sources, "key"),
    keyPassphrase: tls.keyPassphrase,
    serverName: tls.serverName,
    insecure: tls.insecure,
  };
  checkPair(sources, settings);
  return settings;
}

function readPem(sources: EndpointSources, key: "ca" | "cert" | "key"): string | undefined {
  const text = sources.files.text(`${sources.side}.tls.${key}`);
  if (text === undefined || text.includes("-----BEGIN ")) return text;
  note(sources, `tls.${key}`, "the file is not PEM (it has no -----BEGIN line)");
  return undefined;
}

/** OpenSSL knows best whether it can use them: each is tried, then certificate and key together. */
function checkPair(sources: EndpointSources, { ca, cert, key, keyPassphrase }: TlsSettings): void {
  const passphrase = keyPassphrase?.reveal();
  if (ca !== undefined && !isAuthorities(ca)) note(sources, "tls.ca", "the file holds no certificate that can be used");
  if (cert !== undefined && !isUsable({ cert })) {
    note(sources, "tls.cert", "the file holds no certificate that can be used");
  } else if (key !== undefined && !isUsable({ key, passphrase })) {
    note(
      sources,
      "tls.key",
      "the file holds no key that can be used; an encrypted key needs the right `tls.keyPassphrase`",
    );
  } else if (key !== undefined && cert !== undefined && !isUsable({ cert, key, passphrase })) {
    note(sources, "tls.key", "the key does not belong to the certificate of `tls.cert`");
  }
}

/** `createSecureContext` passes over authorities that it cannot read, so each is read here. */
function isAuthorities(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----.*?-----END [A-Z0-9 ]*CERTIFICATE-----/gs) ?? [];
  try {
    return blocks.length > 0 && blocks.every((block) => new X509Certificate(block).raw.length > 0);
  } catch {
    return false;
  }
}

function isUsable(material: Parameters<typeof createSecureContext>[0]): boolean {
  try {
    createSecureContext(material);
    return true;
  } catch {
    return false;
  }
}
