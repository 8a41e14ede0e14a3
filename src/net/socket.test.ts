import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Certificates, makeCertificates, PASSPHRASE } from "../../test/support/certificates.ts";
import { plainEndpoint, scriptedServer } from "../../test/support/scripted-server.ts";
import { rejection, until } from "../../test/support/until.ts";
import type { Endpoint, TlsSettings } from "../config/endpoint.ts";
import { Secret } from "../config/secret.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { type NetSocket, openSocket, type SocketOptions } from "./socket.ts";

let certificates: Certificates;
beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates[Symbol.dispose]());

type Client = { socket: NetSocket; received: Buffer[]; closed: { error: Df2RedisError | undefined }[] };

async function open(endpoint: Endpoint, options: Partial<SocketOptions> = {}): Promise<Client> {
  const received: Buffer[] = [];
  const closed: Client["closed"] = [];
  const socket = await openSocket(endpoint, {
    role: "source",
    connectTimeoutMs: 5000,
    onData: (chunk) => void received.push(Buffer.from(chunk)),
    onClose: (error) => void closed.push({ error }),
    ...options,
  });
  return { socket, received, closed };
}

const text = (client: Client): string => Buffer.concat(client.received).toString();

/** Bytes in which every place is recognisable, so that a loss or a swap shows. */
function numbered(size: number): Buffer {
  const out = Buffer.alloc(size);
  for (let i = 0; i + 4 <= size; i += 4) out.writeUInt32LE(i, i);
  return out;
}

function tls(settings: Partial<TlsSettings> = {}): TlsSettings {
  const none = {
    ca: undefined,
    cert: undefined,
    key: undefined,
    keyPassphrase: undefined,
    serverName: undefined,
    insecure: false,
  };
  return { ...none, ...settings };
}

async function tlsServer(
  onConnection: (socket: Socket) => void,
  options: { requestCert?: boolean } = {},
): Promise<AsyncDisposable & { port: number }> {
  const server = createTlsServer({
    key: certificates.key,
    cert: certificates.cert,
    ca: certificates.ca,
    requestCert: options.requestCert === true,
    rejectUnauthorized: options.requestCert === true,
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => void sockets.add(socket));
  server.on("secureConnection", (socket) => {
    socket.on("error", () => socket.destroy());
    onConnection(socket);
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a plain connection", () => {
  test("carries bytes both ways and counts them", async () => {
    await using server = await scriptedServer({
      onConnection: (socket) => void socket.on("data", (chunk) => void socket.write(chunk)),
    });
    const client = await open(server.endpoint);
    client.socket.write(Buffer.from("hello"));
    await until(() => text(client) === "hello");
    expect(client.socket.bytesRead).toBe(5);
    expect(client.socket.bytesWritten).toBe(5);
    client.socket.destroy();
    await until(() => client.closed.length === 1);
    expect(client.closed).toEqual([{ error: undefined }]);
  });

  test("loses and reorders nothing, whatever the size of the read buffer", async () => {
    const data = numbered(3_000_000);
    await using server = await scriptedServer({ onConnection: (socket) => void socket.end(data) });
    const client = await open(server.endpoint, { readBufferBytes: 1000 });
    await until(() => client.closed.length === 1);
    expect(Buffer.concat(client.received).equals(data)).toBe(true);
    expect(client.received.every((chunk) => chunk.length <= 1000)).toBe(true);
  });

  test("gives nothing while paused, and everything after", async () => {
    const data = numbered(4_000_000);
    await using server = await scriptedServer({ onConnection: (socket) => void socket.end(data) });
    const hash = createHash("sha256");
    let received = 0;
    let paused = false;
    let pauses = 0;
    const client = await open(server.endpoint, {
      readBufferBytes: 16 * 1024,
      onData: (chunk) => {
        expect(paused).toBe(false);
        hash.update(chunk);
        received += chunk.length;
        if (received % 7 !== 0) return;
        paused = true;
        pauses++;
        client.socket.pause();
        setImmediate(() => {
          paused = false;
          client.socket.resume();
        });
      },
    });
    await until(() => client.closed.length === 1);
    expect(received).toBe(data.length);
    expect(pauses).toBeGreaterThan(3);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(data).digest("hex"));
  });

  test("paused from the start, it reads nothing until resumed, the other side's end included", async () => {
    await using server = await scriptedServer({ onConnection: (socket) => void socket.end("late") });
    const client = await open(server.endpoint);
    client.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([client.received.length, client.closed.length]).toEqual([0, 0]);
    client.socket.resume();
    await until(() => client.closed.length === 1);
    expect(text(client)).toBe("late");
    expect(client.closed[0]?.error?.code).toBe("CONNECTION_LOST");
  });

  test("pausing and resuming inside one call goes on", async () => {
    await using server = await scriptedServer({ onConnection: (socket) => void socket.end(numbered(200_000)) });
    let received = 0;
    const client = await open(server.endpoint, {
      readBufferBytes: 4096,
      onData: (chunk) => {
        received += chunk.length;
        client.socket.pause();
        client.socket.resume();
      },
    });
    await until(() => client.closed.length === 1);
    expect(received).toBe(200_000);
  });

  test("says when a write was flushed, and drains", async () => {
    await using server = await scriptedServer({ onConnection: (socket) => void socket.pause() });
    let drained = 0;
    const flushed: number[] = [];
    const client = await open(server.endpoint, { onDrain: () => void drained++ });
    for (let i = 0; i < 8; i++) client.socket.write(Buffer.alloc(1_000_000), () => void flushed.push(i));
    expect(client.socket.write(Buffer.alloc(1))).toBe(false);
    expect(flushed.length).toBeLessThan(8);
    await until(() => server.sockets.length === 1);
    server.sockets[0]?.resume();
    await until(() => drained > 0 && flushed.length === 8);
    expect(flushed).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    client.socket.destroy();
  });

  test("end sends what was written, even with unread bytes on the way to us", async () => {
    let received = "";
    await using server = await scriptedServer({
      onConnection: (socket) => {
        socket.write(numbered(500_000));
        socket.on("data", (chunk) => void (received += chunk.toString()));
        socket.on("end", () => socket.end());
      },
    });
    const client = await open(server.endpoint);
    client.socket.pause();
    client.socket.write(Buffer.from("the last word"));
    client.socket.end();
    await until(() => client.closed.length === 1);
    expect(client.closed).toEqual([{ error: undefined }]);
    expect(received).toBe("the last word");
    expect(client.socket.write(Buffer.from("more"))).toBe(false);
  });

  test("a handler that throws closes the connection with its error", async () => {
    await using server = await scriptedServer({ greeting: "x" });
    const client = await open(server.endpoint, {
      onData: () => {
        throw new Df2RedisError("STREAM_CORRUPT", "bad byte");
      },
    });
    await until(() => client.closed.length === 1);
    expect(client.closed[0]?.error).toMatchObject({ code: "STREAM_CORRUPT", message: "bad byte" });
  });

  test("hands over to other handlers, which also hear of a close that was before", async () => {
    await using server = await scriptedServer({});
    const client = await open(server.endpoint);
    client.socket.destroy(new Df2RedisError("TIMEOUT", "gone"));
    await until(() => client.closed.length === 1);
    const late: unknown[] = [];
    client.socket.setHandlers({ onData: () => undefined, onClose: (error) => void late.push(error?.code) });
    await until(() => late.length === 1);
    expect(late).toEqual(["TIMEOUT"]);
  });

  test("over IPv6 and by name", async () => {
    await using six = await scriptedServer({ greeting: "six" }, "::1");
    const client = await open(plainEndpoint(six.port, "::1"));
    await until(() => client.received.length > 0);
    expect(text(client)).toBe("six");
    client.socket.destroy();
    await using four = await scriptedServer({ greeting: "four" });
    const named = await open(plainEndpoint(four.port, "localhost"));
    await until(() => named.received.length > 0);
    expect(text(named)).toBe("four");
    named.socket.destroy();
  });
});

describe("what goes wrong, in an operator's words", () => {
  test("nothing listens", async () => {
    const server = await scriptedServer({});
    const { port } = server;
    await server[Symbol.asyncDispose]();
    const error = await rejection<Df2RedisError>(open(plainEndpoint(port)));
    expect(error.code).toBe("CONNECT_FAILED");
    expect(error.message).toBe(
      `Cannot connect to the source Dragonfly at 127.0.0.1:${port}: nothing listens there (connection refused).`,
    );
    expect(error.context).toEqual({ role: "source", address: `127.0.0.1:${port}` });
    expect(error.cause).toMatchObject({ code: "ECONNREFUSED" });
    const named = await rejection<Df2RedisError>(open(plainEndpoint(port, "localhost"), { role: "target" }));
    expect(named.message).toContain("target Redis at localhost");
    expect(named.message).toContain("connection refused");
  });

  test("an unknown host", async () => {
    const error = await rejection<Df2RedisError>(open(plainEndpoint(6379, "no-such-host.invalid")));
    expect(error.code).toBe("CONNECT_FAILED");
    expect(error.message).toMatch(/host name is unknown|name server did not answer/);
  });

  test("reset and closed", async () => {
    await using server = await scriptedServer({});
    const reset = await open(server.endpoint);
    await until(() => server.sockets.length === 1);
    server.sockets[0]?.resetAndDestroy();
    await until(() => reset.closed.length === 1);
    expect(reset.closed[0]?.error).toMatchObject({ code: "CONNECTION_LOST", context: { role: "source" } });
    expect(reset.closed[0]?.error?.message).toContain("was reset by the other side");
    const ended = await open(server.endpoint);
    await until(() => server.sockets.length === 2);
    server.sockets[1]?.end();
    await until(() => ended.closed.length === 1);
    expect(ended.closed[0]?.error?.message).toContain("was closed by the other side");
    expect(ended.socket.closed).toBe(true);
  });

  test("an AbortSignal ends an attempt, an open connection, and one that comes too late", async () => {
    await using server = await scriptedServer({});
    const controller = new AbortController();
    const client = await open(server.endpoint, { signal: controller.signal });
    controller.abort();
    await until(() => client.closed.length === 1);
    expect(client.closed[0]?.error?.code).toBe("INTERRUPTED");
    const late = await rejection<Df2RedisError>(open(server.endpoint, { signal: controller.signal }));
    expect(late.code).toBe("INTERRUPTED");
    const reason = new Df2RedisError("CONNECTION_LOST", "another flow broke");
    expect(await rejection(open(server.endpoint, { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });
});

describe("TLS", () => {
  const endpoint = (port: number, settings: Partial<TlsSettings> = {}, host = "127.0.0.1"): Endpoint => ({
    ...plainEndpoint(port, host),
    tls: tls(settings),
  });

  test("carries bytes, verified by CA, by name and by address", async () => {
    await using server = await tlsServer((socket) => void socket.write("secret"));
    for (const host of ["127.0.0.1", "localhost"]) {
      const client = await open(endpoint(server.port, { ca: certificates.ca }, host));
      await until(() => client.received.length > 0);
      expect(text(client)).toBe("secret");
      client.socket.destroy();
    }
  });

  test("gives nothing while paused, and everything after", async () => {
    const data = numbered(3_000_000);
    await using server = await tlsServer((socket) => void socket.end(data));
    let received = 0;
    let paused = false;
    const hash = createHash("sha256");
    const client = await open(endpoint(server.port, { ca: certificates.ca }), {
      onData: (chunk) => {
        expect(paused).toBe(false);
        hash.update(chunk);
        received += chunk.length;
        paused = true;
        client.socket.pause();
        setImmediate(() => {
          paused = false;
          client.socket.resume();
        });
      },
    });
    await until(() => client.closed.length === 1);
    expect(received).toBe(data.length);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(data).digest("hex"));
  });

  test("a CA that is not trusted; with `insecure` it does not matter", async () => {
    await using server = await tlsServer((socket) => void socket.write("x"));
    const error = await rejection<Df2RedisError>(open(endpoint(server.port)));
    expect(error.code).toBe("CONNECT_FAILED");
    expect(error.message).toMatch(/CA/);
    const client = await open(endpoint(server.port, { insecure: true }));
    client.socket.destroy();
  });

  test("a certificate for another name; the right server name helps", async () => {
    await using server = await tlsServer(() => undefined);
    const wrong = await rejection<Df2RedisError>(
      open(endpoint(server.port, { ca: certificates.ca, serverName: "other.example" })),
    );
    expect(wrong.message).toContain("is for another name");
    const client = await open(endpoint(server.port, { ca: certificates.ca, serverName: "dragonfly.example" }));
    client.socket.destroy();
  });

  test("a client certificate, its key encrypted or not; none where one is wanted", async () => {
    await using server = await tlsServer((socket) => void socket.write("in"), { requestCert: true });
    const { ca, clientCert: cert } = certificates;
    const encrypted = { key: certificates.clientKeyEncrypted, keyPassphrase: new Secret(PASSPHRASE) };
    for (const key of [{ key: certificates.clientKey }, encrypted]) {
      const client = await open(endpoint(server.port, { ca, cert, ...key }));
      await until(() => text(client) === "in");
      client.socket.destroy();
    }
    // TLS 1.3: the refusal comes after our side of the handshake is done.
    const client = await open(endpoint(server.port, { ca }));
    await until(() => client.closed.length === 1);
    expect(client.closed[0]?.error?.message).toContain("wants a client certificate");
  });

  test("a server that speaks no TLS", async () => {
    await using talkative = await scriptedServer({
      onConnection: (socket) => socket.once("data", () => socket.end("-ERR Protocol error\r\n")),
    });
    const error = await rejection<Df2RedisError>(open(endpoint(talkative.port)));
    expect(error.code).toBe("CONNECT_FAILED");
    expect(error.message).toContain("does not speak TLS");
    await using silent = await scriptedServer({});
    const timeout = await rejection<Df2RedisError>(open(endpoint(silent.port), { connectTimeoutMs: 100 }));
    expect(timeout.code).toBe("TIMEOUT");
    expect(timeout.message).toContain("does that port speak TLS?");
    await using closing = await scriptedServer({ onConnection: (socket) => socket.once("data", () => socket.end()) });
    expect((await rejection<Df2RedisError>(open(endpoint(closing.port)))).message).toContain("TLS");
  });

  test("settings that cannot be used are a mistake in the configuration", async () => {
    const { clientCert: cert, clientKeyEncrypted: key } = certificates;
    const notPem = await rejection<Df2RedisError>(open(endpoint(1, { cert: "no pem", key: certificates.key })));
    expect(notPem).toMatchObject({ code: "CONFIG_INVALID" });
    expect(notPem.message).toContain("PEM");
    const mismatch = await rejection<Df2RedisError>(open(endpoint(1, { cert, key: certificates.key })));
    expect(mismatch.message).toContain("does not belong");
    const passphrase = await rejection<Df2RedisError>(
      open(endpoint(1, { cert, key, keyPassphrase: new Secret("wrong") })),
    );
    expect(passphrase.message).toContain("passphrase");
  });
});
