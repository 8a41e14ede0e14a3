/** Passwords, users and TLS on both sides, from handshake to the last flow. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { expectExpectedState, replicate } from "../support/recording-checks.ts";
import { openRecording } from "../support/recordings.ts";
import { startRedis } from "../support/redis-server.ts";
import { startReplication } from "../support/replicate-recording.ts";

const recording = openRecording("dragonfly-1.40.1/idle");
let certificates: Certificates;
beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates[Symbol.dispose]());

const readFile = (path: string): string => readFileSync(path, "utf8");

describe.each([1, 2])("with %d workers", (workers) => {
  test("passwords on both sides", async () => {
    await using target = await startRedis({ password: "target secret" });
    await replicate({
      recording,
      workers,
      targetPort: target.port,
      master: { user: "repl", password: "source secret" },
      flags: { "source-user": "repl", "source-password-file": "/s", "target-password-file": "/t" },
      readFile: (path) => (path === "/s" ? "source secret\n" : "target secret\n"),
    });
    await expectExpectedState({ recording, ...target.clientOptions });
  });

  test("TLS on both sides, with a client certificate for the source", async () => {
    const { keyFile, certFile, caFile, key, cert, ca } = certificates;
    await using target = await startRedis({ tls: { keyFile, certFile, caFile } });
    await replicate({
      recording,
      workers,
      targetPort: target.port,
      master: { tls: { key, cert, ca } },
      flags: {
        "source-tls-ca": caFile,
        "source-tls-cert": "/client.crt",
        "source-tls-key": "/client.key",
        "target-tls-ca": caFile,
      },
      readFile: (path) => {
        if (path === "/client.crt") return certificates.clientCert;
        return path === "/client.key" ? certificates.clientKey : readFile(path);
      },
    });
    await expectExpectedState({ recording, ...target.clientOptions });
  });
});

test("a wrong password of the source ends the run, in plain words and without the password", async () => {
  await using target = await startRedis();
  await using run = await startReplication({
    recording,
    targetPort: target.port,
    master: { password: "right" },
    flags: { "source-password-file": "/s" },
    readFile: () => "mistaken",
  });
  const error: unknown = await run.ended.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "AUTH_FAILED" });
  expect(String(error)).not.toContain("mistaken");
});

test("a certificate of an unknown authority ends the run", async () => {
  await using target = await startRedis();
  const { key, cert } = certificates;
  await using run = await startReplication({
    recording,
    targetPort: target.port,
    master: { tls: { key, cert } },
    flags: { "source-tls": true },
    readFile,
  });
  await expect(run.ended).rejects.toMatchObject({ code: "CONNECT_FAILED" });
});
