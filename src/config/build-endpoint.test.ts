import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { asDf2RedisError } from "../errors/df2redis-error.ts";
import { loadConfig } from "./load-config.ts";

// A pair for these tests only, valid until 2126; nothing trusts it.
const CERT = `-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUCIovstD2UWLoDwpx8KFCMfY8wx4wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjIwOTEzMDBaGA8yMTI2MTAyOTA5MTMw
MFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEkv
qU7o/llABOyEm3lBITQ1lHhMo91SpUM2I8FVbKSeqvuVN0CuutGfTRbT8AA55C4H
wrvrVTB69EpbqQEukTmjUzBRMB0GA1UdDgQWBBQ4H1ci0wo0RST7hNT1KO94jf6E
NzAfBgNVHSMEGDAWgBQ4H1ci0wo0RST7hNT1KO94jf6ENzAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIGhIvd+ImRo8m7GuUw6/9EhAaYVPhpoVMz+K
7BB/nbtjAiEA/pdFuIC1IFzf36Xi/iDLnK5gLQkrcCvNAhi/gQPwJDs=
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyf0bS8f2mdPGlmoG
5CN9cztI6IwYGzQZtMQObkWyVSWhRANCAARJL6lO6P5ZQATshJt5QSE0NZR4TKPd
UqVDNiPBVWyknqr7lTdArrrRn00W0/AAOeQuB8K761UwevRKW6kBLpE5
-----END PRIVATE KEY-----
`;
const PKCS8 = { type: "pkcs8", format: "pem" } as const;
const ENCRYPTED_KEY = createPrivateKey(KEY)
  .export({ ...PKCS8, cipher: "aes-256-cbc", passphrase: "hunter2" })
  .toString();
const OTHER_KEY = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export(PKCS8).toString();

const FILES: Readonly<Record<string, string>> = {
  "/ca": CERT,
  "/cert": CERT,
  "/key": KEY,
  "/encrypted": ENCRYPTED_KEY,
  "/other": OTHER_KEY,
  "/text": "hunter2",
  "/broken": "-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n",
};

function load(flags: Record<string, string>, env: Record<string, string> = {}) {
  const readFile = (path: string): string => {
    const text = FILES[path];
    if (text === undefined) throw Object.assign(new Error("gone"), { code: "EACCES" });
    return text;
  };
  return loadConfig({ env, flags: { source: "s:1", target: "t:2", ...flags }, readFile });
}

function mistakes(flags: Record<string, string>, env: Record<string, string> = {}): string[] {
  try {
    load(flags, env);
    return [];
  } catch (thrown) {
    return asDf2RedisError(thrown)
      .message.split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
}

const PASSPHRASE = { DF2REDIS_SOURCE_TLS_KEY_PASSPHRASE: "hunter2" };

describe("TLS files", () => {
  test("their content becomes the endpoint's", () => {
    const flags = { "source-tls-ca": "/ca", "source-tls-cert": "/cert", "source-tls-key": "/encrypted" };
    const { source } = load(flags, PASSPHRASE);
    expect(source.tls).toMatchObject({ ca: CERT, cert: CERT, key: ENCRYPTED_KEY, insecure: false });
    expect(source.tls?.keyPassphrase?.reveal()).toBe("hunter2");
  });

  test.each([
    [{ "source-tls-ca": "/none" }, {}, "--source-tls-ca: source.tls.ca: the file cannot be read: permission denied"],
    [
      { "source-tls-ca": "/text" },
      {},
      "--source-tls-ca: source.tls.ca: the file is not PEM (it has no -----BEGIN line)",
    ],
    [{ "source-tls-ca": "/broken" }, {}, "--source-tls-ca: source.tls.ca: the file holds no certificate"],
    [{ "source-tls-cert": "/cert" }, {}, "--source-tls-cert: source.tls.cert: needs `tls.key`"],
    [{ "source-tls-key": "/key" }, {}, "--source-tls-key: source.tls.key: needs `tls.cert`"],
    [
      { "source-tls-cert": "/broken", "source-tls-key": "/key" },
      {},
      "--source-tls-cert: source.tls.cert: the file holds",
    ],
    [
      { "source-tls-cert": "/cert", "source-tls-key": "/encrypted" },
      {},
      "--source-tls-key: source.tls.key: the file holds no key",
    ],
    [
      { "source-tls-cert": "/cert", "source-tls-key": "/encrypted" },
      { DF2REDIS_SOURCE_TLS_KEY_PASSPHRASE: "hunter3" },
      "--source-tls-key: source.tls.key: the file holds no key",
    ],
    [
      { "source-tls-cert": "/cert", "source-tls-key": "/other" },
      {},
      "--source-tls-key: source.tls.key: the key does not belong to the certificate",
    ],
  ])("%j %j", (flags, env, start) => {
    const found = mistakes(flags, env);
    expect(found).toEqual([expect.stringContaining(`flag ${start}`)]);
    expect(found.join()).not.toContain("hunter");
  });
});
