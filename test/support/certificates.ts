/** Makes a CA, a server certificate for localhost / 127.0.0.1 and a client certificate with the machine's openssl, in a temporary directory. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export type Certificates = Disposable & {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly clientCert: string;
  readonly clientKey: string;
  /** `clientKey`, encrypted with the passphrase "open sesame". */
  readonly clientKeyEncrypted: string;
};

export const PASSPHRASE = "open sesame";

export function makeCertificates(): Certificates {
  const directory = mkdtempSync(path.join(tmpdir(), "df2redis-tls-"));
  const file = (name: string): string => path.join(directory, name);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
  const newKey = (name: string): void =>
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file(name));
  newKey("ca.key");
  openssl(
    "req",
    "-x509",
    "-new",
    "-key",
    file("ca.key"),
    "-subj",
    "/CN=df2redis test CA",
    "-days",
    "30",
    "-out",
    file("ca.crt"),
  );
  for (const name of ["server", "client"]) {
    newKey(`${name}.key`);
    writeFileSync(file(`${name}.ext`), "subjectAltName=DNS:localhost,DNS:dragonfly.example,IP:127.0.0.1\n");
    openssl("req", "-new", "-key", file(`${name}.key`), "-subj", `/CN=${name}`, "-out", file(`${name}.csr`));
    const sign = [
      "-CA",
      file("ca.crt"),
      "-CAkey",
      file("ca.key"),
      "-CAcreateserial",
      "-days",
      "30",
      "-extfile",
      file(`${name}.ext`),
    ];
    openssl("x509", "-req", "-in", file(`${name}.csr`), ...sign, "-out", file(`${name}.crt`));
  }
  openssl(
    "pkey",
    "-in",
    file("client.key"),
    "-aes256",
    "-passout",
    `pass:${PASSPHRASE}`,
    "-out",
    file("client.enc.key"),
  );
  const read = (name: string): string => readFileSync(file(name), "utf8");
  return {
    caFile: file("ca.crt"),
    certFile: file("server.crt"),
    keyFile: file("server.key"),
    ca: read("ca.crt"),
    cert: read("server.crt"),
    key: read("server.key"),
    clientCert: read("client.crt"),
    clientKey: read("client.key"),
    clientKeyEncrypted: read("client.enc.key"),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
