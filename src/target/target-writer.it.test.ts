/** The writer on a real redis-server: what was confirmed is there, errors are the server's own, TLS and ACL users work. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificates, makeCertificates } from "../../test/support/certificates.ts";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { plainEndpoint } from "../../test/support/scripted-server.ts";
import { rejection, until } from "../../test/support/until.ts";
import type { Endpoint } from "../config/endpoint.ts";
import { Secret } from "../config/secret.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { type TargetRejection, TargetWriter } from "./target-writer.ts";

type Events = { rejections: TargetRejection[]; failures: Df2RedisError[]; onDrain: () => void };

async function connect(endpoint: Endpoint): Promise<TargetWriter> {
  return (await connectWithEvents(endpoint)).writer;
}

async function connectWithEvents(endpoint: Endpoint): Promise<{ writer: TargetWriter; events: Events }> {
  const events: Events = { rejections: [], failures: [], onDrain: () => undefined };
  const writer = await TargetWriter.connect({
    endpoint,
    limits: { batchBytes: 16 * 1024, windowBytes: 128 * 1024 },
    connectTimeoutMs: 1000,
    replyTimeoutMs: 10_000,
    onError: (rejected) => void events.rejections.push(rejected),
    onFailure: (error) => void events.failures.push(error),
    onDrain: () => events.onDrain(),
  });
  return { writer, events };
}

describe("TargetWriter on a real server", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  test("what was confirmed is there: 50,000 keys through a small window", async () => {
    const { writer, events } = await connectWithEvents(plainEndpoint(redis.port));
    let marks = 0;
    for (let i = 0; i < 50_000; i++) {
      writer.encoder.command("SET", `key:${i}`, `value of ${i}`);
      writer.flush();
      if (i % 100 === 0) writer.afterApplied(() => void marks++);
      if (writer.isFull()) await new Promise<void>((resolve) => (events.onDrain = resolve));
    }
    await writer.close();
    expect([writer.commandsDone, marks, events.rejections, events.failures]).toEqual([50_000, 500, [], []]);
    await using client = await redis.client();
    expect(await client.call("DBSIZE")).toBe(50_000);
    expect(String(await client.call("GET", "key:49999"))).toBe("value of 49999");
  });

  test("all kinds of replies, and errors traced to their commands in their databases", async () => {
    const { writer, events } = await connectWithEvents(plainEndpoint(redis.port));
    const { encoder } = writer;
    encoder.select(3);
    encoder.command("RPUSH", "list", "a", "b");
    encoder.lsn = 77;
    encoder.command("INCR", "list");
    encoder.command("LRANGE", "list", "0", "-1");
    encoder.command("GET", "nothing");
    encoder.command("LMPOP", "1", "list", "LEFT", "COUNT", "2");
    encoder.select(5);
    encoder.command("NOSUCHCOMMAND", "x");
    encoder.command("MULTI");
    encoder.command("SET", "s", "1");
    encoder.command("RPUSH", "s", "1");
    encoder.command("EXEC");
    encoder.command("SET", "big", Buffer.alloc(3_000_000, "x"));
    encoder.command("GET", "big");
    await writer.close();
    expect(events.failures).toEqual([]);
    expect(
      events.rejections.map(({ command, message, element }) => [
        command.name,
        command.db,
        command.lsn,
        message.split(" ")[0],
        element,
      ]),
    ).toEqual([
      ["INCR", 3, 77, "WRONGTYPE", -1],
      ["NOSUCHCOMMAND", 5, 77, "ERR", -1],
      ["EXEC", 5, 77, "WRONGTYPE", 1],
    ]);
    expect(events.rejections[0]?.command.key?.toString()).toBe("list");
  });

  test("a server that dies with commands in flight", async () => {
    await using mortal = await startRedis();
    const { writer, events } = await connectWithEvents(plainEndpoint(mortal.port));
    for (let i = 0; i < 1000; i++) writer.encoder.command("SET", `k${i}`, "v");
    writer.flush(true);
    await mortal.crash();
    await until(() => events.failures.length === 1 || writer.commandsDone === 1000);
    if (writer.commandsDone < 1000) expect(events.failures[0]).toMatchObject({ code: "CONNECTION_LOST" });
    await until(() => events.failures.length === 1);
    expect(events.failures[0]?.message).toContain("target Redis at");
  });
});

describe("logins and TLS on a real server", () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = makeCertificates();
  });
  afterAll(() => certificates[Symbol.dispose]());

  test("requirepass, an ACL user, wrong ones, and a server without a password", async () => {
    await using redis = await startRedis({ password: "s3cret" });
    const endpoint = plainEndpoint(redis.port);
    const withLogin = (password: string, user?: string): Endpoint => ({
      ...endpoint,
      user,
      password: new Secret(password),
    });
    await using admin = await redis.client();
    await admin.call("ACL", "SETUSER", "writer", "on", ">pw", "~*", "+@all");
    for (const login of [withLogin("s3cret"), withLogin("s3cret", "default"), withLogin("pw", "writer")]) {
      const writer = await connect(login);
      writer.encoder.command("SET", "a", "b");
      await writer.close();
      expect(writer.commandsDone).toBe(1);
    }
    for (const login of [endpoint, withLogin("wrong"), withLogin("pw", "nobody")]) {
      expect((await rejection<Df2RedisError>(connect(login))).code).toBe("AUTH_FAILED");
    }
    await using open = await startRedis();
    const error = await rejection<Df2RedisError>(connect({ ...plainEndpoint(open.port), password: new Secret("x") }));
    expect(error.code).toBe("AUTH_FAILED");
    expect(error.message).toContain("has no password");
  });

  test("TLS with a client certificate carries a load; without one it is refused in plain words", async () => {
    const { caFile, certFile, keyFile, ca, clientCert: cert, clientKey: key } = certificates;
    await using redis = await startRedis({ tls: { caFile, certFile, keyFile, authClients: true } });
    const tls = { ca, cert, key, keyPassphrase: undefined, serverName: undefined, insecure: false };
    const { writer, events } = await connectWithEvents({ ...plainEndpoint(redis.port), tls });
    for (let i = 0; i < 20_000; i++) {
      writer.encoder.command("SET", `key:${i}`, "x".repeat(100));
      writer.flush();
      if (writer.isFull()) await new Promise<void>((resolve) => (events.onDrain = resolve));
    }
    await writer.close();
    expect([writer.commandsDone, events.failures, events.rejections]).toEqual([20_000, [], []]);
    const refused = await rejection<Df2RedisError>(
      connect({ ...plainEndpoint(redis.port), tls: { ...tls, cert: undefined, key: undefined } }),
    );
    expect(refused.message).toContain("client certificate");
    const plain = await rejection<Df2RedisError>(connect(plainEndpoint(redis.port)));
    expect(plain.message).toMatch(/TLS/);
    await using plainRedis = await startRedis();
    const tlsToPlain = await rejection<Df2RedisError>(connect({ ...plainEndpoint(plainRedis.port), tls }));
    expect(tlsToPlain.message).toMatch(/TLS/);
  });
});
