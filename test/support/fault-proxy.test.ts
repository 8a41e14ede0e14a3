import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from "./fault-proxy.ts";
import { type Direction, DIRECTIONS } from "./faults/fault-action.ts";
import { ManualClock } from "./faults/fault-clock.ts";
import type { FaultConnection } from "./faults/fault-connection.ts";
import { controlConnection, flowConnection } from "./faults/connection-selectors.ts";
import { connectPeer, PeerServer, TcpPeer } from "./faults/tcp-peers.ts";
import { rejection, until } from "./until.ts";

/** A client and a server with the proxy between them. */
type Pair = {
  readonly proxy: FaultProxy;
  readonly connection: FaultConnection;
  readonly client: TcpPeer;
  readonly target: TcpPeer;
  readonly server: PeerServer;
};

async function withPair(options: FaultProxyOptions, body: (pair: Pair) => Promise<void>): Promise<void> {
  await using server = await PeerServer.start();
  await using proxy = await startFaultProxy({ target: { port: server.port }, ...options });
  const client = await connectPeer(proxy.port);
  const target = await server.peer();
  try {
    await body({ proxy, connection: proxy.connections[0] as FaultConnection, client, target, server });
  } finally {
    client.socket.destroy();
  }
}

/** Who sends and who receives in a direction. */
function ends({ client, target }: Pair, direction: Direction): { readonly from: TcpPeer; readonly to: TcpPeer } {
  return direction === "toTarget" ? { from: client, to: target } : { from: target, to: client };
}

function bytes(size: number, seed = 1): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff));
}

const WHOLE = bytes(100_000);

describe("without a fault", () => {
  test("bytes pass unchanged in both directions, and are counted", async () => {
    await withPair({}, async ({ connection, client, target }) => {
      client.send(WHOLE);
      target.send(bytes(5000, 2));
      await Promise.all([target.untilSize(WHOLE.length), client.untilSize(5000)]);
      expect(target.bytes.equals(WHOLE)).toBe(true);
      expect(client.bytes.equals(bytes(5000, 2))).toBe(true);
      await connection.whenForwarded("toTarget", WHOLE.length);
      expect(connection.bytes("toTarget")).toEqual({ received: WHOLE.length, forwarded: WHOLE.length, dropped: 0 });
      await connection.whenForwarded("toClient", 5000);
      expect(connection.bytes("toClient")).toEqual({ received: 5000, forwarded: 5000, dropped: 0 });
    });
  });

  test("an end is passed on behind the bytes, and the other direction goes on", async () => {
    await withPair({}, async ({ connection, client, target }) => {
      client.socket.end(WHOLE);
      await target.untilEnded();
      expect(target.bytes.equals(WHOLE)).toBe(true);
      expect(target.ending).toBe("end");
      target.socket.end("answer");
      await client.untilEnded();
      expect(client.bytes.toString()).toBe("answer");
      await connection.whenClosed();
    });
  });

  test("a reset is passed on as a reset", async () => {
    await withPair({}, async ({ client, target }) => {
      client.socket.resetAndDestroy();
      await target.untilEnded();
      expect(target.ending).toBe("ECONNRESET");
    });
  });

  test("a receiver that resets after it had ended is told to the sender", async () => {
    await withPair({}, async ({ client, target }) => {
      client.socket.end();
      await target.untilEnded();
      client.socket.resetAndDestroy();
      await until(() => {
        if (!target.socket.destroyed) target.send("x");
        return target.ending !== "end";
      });
      expect(target.ending).toMatch(/ECONNRESET|EPIPE/);
    });
  });

  test("many connections are kept apart", async () => {
    await using server = await PeerServer.start();
    await using proxy = await startFaultProxy({ target: { port: server.port } });
    const clients: TcpPeer[] = [];
    for (let i = 0; i < 20; i++) {
      clients.push(await connectPeer(proxy.port));
      await server.peer(i);
    }
    for (const [i, client] of clients.entries()) client.send(bytes(1000 + i, i));
    await Promise.all(server.peers.map((peer, i) => peer.untilSize(1000 + i)));
    for (const [i, peer] of server.peers.entries()) expect(peer.bytes.equals(bytes(1000 + i, i))).toBe(true);
    proxy.connections[7]?.cut();
    await clients[7]?.untilEnded();
    expect(clients.map(({ ending }) => ending).filter((ending) => ending !== "open")).toEqual(["end"]);
    for (const { socket } of clients) socket.destroy();
  });

  test("a target that refuses resets the client", async () => {
    await using server = await PeerServer.start();
    const { port } = server;
    await server[Symbol.asyncDispose]();
    await using proxy = await startFaultProxy({ target: { port } });
    const client = await connectPeer(proxy.port);
    await client.untilEnded();
    expect(client.ending).toBe("ECONNRESET");
    expect(proxy.report()).toContain("ECONNREFUSED");
  });
});

test("a connection can be cut before it is through", async () => {
  await using server = await PeerServer.start();
  const rules = [
    { connection: "every", at: { direction: "toClient", offset: 0 }, action: { do: "cut", how: "rst" } },
  ] as const;
  await using proxy = await startFaultProxy({ target: { port: server.port }, rules });
  const client = new TcpPeer(connect({ port: proxy.port, host: "127.0.0.1" }));
  await client.untilEnded();
  expect(client.ending).toBe("ECONNRESET");
});

describe.each(DIRECTIONS)("%s", (direction) => {
  const sizes = [0, 1, 4096, 99_999];

  test.each(sizes)("cut by FIN at %d: exactly that prefix, then an end on both sides", async (offset) => {
    await withPair({}, async (pair) => {
      const { from, to } = ends(pair, direction);
      pair.proxy.addRule({ connection: 0, at: { direction, offset }, action: { do: "cut" } });
      from.send(WHOLE);
      await Promise.all([to.untilEnded(), from.untilEnded()]);
      expect(to.bytes.equals(WHOLE.subarray(0, offset))).toBe(true);
      expect([to.ending, from.ending]).toEqual(["end", "end"]);
    });
  });

  test("cut by FIN: what is sent nevertheless is swallowed, and never answered with a reset", async () => {
    await withPair({}, async (pair) => {
      const { from, to } = ends(pair, direction);
      pair.connection.cut("fin");
      await Promise.all([to.untilEnded(), from.untilEnded()]);
      from.socket.end(WHOLE);
      to.socket.end();
      await pair.connection.whenClosed();
      expect(pair.connection.bytes(direction)).toEqual({ received: 0, forwarded: 0, dropped: WHOLE.length });
      expect([from.ending, to.ending, to.size]).toEqual(["end", "end", 0]);
    });
  });

  test.each(sizes)("cut by RST at %d: that prefix at most, then ECONNRESET on both sides", async (offset) => {
    await withPair({}, async (pair) => {
      const { from, to } = ends(pair, direction);
      pair.proxy.addRule({ connection: 0, at: { direction, offset }, action: { do: "cut", how: "rst" } });
      from.send(WHOLE);
      await Promise.all([to.untilEnded(), from.untilEnded()]);
      expect(to.bytes.equals(WHOLE.subarray(0, to.size))).toBe(true);
      expect(to.size).toBeLessThanOrEqual(offset);
      expect([to.ending, from.ending]).toEqual(["ECONNRESET", "ECONNRESET"]);
      expect(pair.connection.bytes(direction).forwarded).toBe(offset);
    });
  });

  test.each([0, 1, 65_536, 99_999])("corrupt at %d: all bytes come, and that one differs", async (offset) => {
    const rules = [
      { connection: 0, at: { direction, offset }, action: { do: "corrupt", direction, xor: 0x41 } },
    ] as const;
    await withPair({ rules }, async (pair) => {
      const { from, to } = ends(pair, direction);
      from.send(WHOLE);
      await to.untilSize(WHOLE.length);
      const expected = Buffer.from(WHOLE);
      expected[offset] = (expected[offset] ?? 0) ^ 0x41;
      expect(to.bytes.equals(expected)).toBe(true);
    });
  });

  test("stall: nothing passes, the sender is held back, memory stays small; heal: all of it comes", async () => {
    await withPair({}, async (pair) => {
      const { from, to } = ends(pair, direction);
      const big = Buffer.alloc(64 * 1024 * 1024, 7);
      from.send(WHOLE);
      await to.untilSize(WHOLE.length);
      pair.connection.stall(direction);
      from.send(big);
      // More than all buffers on the way can take.
      await until(() => from.socket.writableLength > 0);
      const opposite = direction === "toTarget" ? "toClient" : "toTarget";
      to.send("the other way goes on");
      await pair.connection.whenForwarded(opposite, 21);
      expect(to.size).toBe(WHOLE.length);
      expect(from.socket.writableLength).toBeGreaterThan(0);
      expect(pair.connection.bytes(direction).received).toBe(WHOLE.length);
      expect(pair.proxy.heldBytes).toBeLessThan(2 * 1024 * 1024);
      pair.connection.heal();
      await to.untilSize(WHOLE.length + big.length);
      expect(to.bytes.subarray(WHOLE.length).equals(big)).toBe(true);
    });
  });

  test("a receiver that does not read holds the sender back, not the proxy's memory", async () => {
    await withPair({}, async (pair) => {
      const { from, to } = ends(pair, direction);
      to.socket.pause();
      const big = Buffer.alloc(64 * 1024 * 1024, 9);
      from.send(big);
      let last = -1;
      await until(() => {
        const { received } = pair.connection.bytes(direction);
        const stands = received === last && received > 0;
        last = received;
        return stands && pair.proxy.heldBytes >= 1024 * 1024;
      });
      expect(pair.proxy.heldBytes).toBeLessThan(2 * 1024 * 1024);
      to.socket.resume();
      await to.untilSize(big.length);
      expect(to.bytes.equals(big)).toBe(true);
    });
  });

  test.each([
    ["end", (peer: TcpPeer) => peer.socket.end("last words")],
    ["ECONNRESET", (peer: TcpPeer) => peer.socket.resetAndDestroy()],
  ])("a stall holds the other side's end back as well (%s)", async (ending, close) => {
    await withPair({}, async (pair) => {
      const { from, to } = ends(pair, direction);
      pair.connection.stall();
      close(from);
      // Had it been passed on, this would come behind it.
      const bystander = await connectPeer(pair.proxy.port);
      bystander.send("x");
      const other = await pair.server.peer(1);
      await other.untilSize(1);
      expect([to.size, to.ending]).toEqual([0, "open"]);
      pair.connection.heal();
      await to.untilEnded();
      expect([to.bytes.toString(), to.ending]).toEqual([ending === "end" ? "last words" : "", ending]);
      bystander.socket.destroy();
    });
  });

  test("delay: a byte leaves exactly that much later", async () => {
    const clock = new ManualClock();
    await withPair({ clock }, async (pair) => {
      const { from, to } = ends(pair, direction);
      pair.connection.delay(100, direction);
      from.send("one");
      await pair.connection.whenReceived(direction, 3);
      clock.advance(40);
      from.send("two");
      await pair.connection.whenReceived(direction, 6);
      clock.advance(59);
      expect(pair.connection.bytes(direction).forwarded).toBe(0);
      clock.advance(1);
      await to.untilSize(3);
      expect(to.bytes.toString()).toBe("one");
      from.socket.end();
      clock.advance(39);
      expect(pair.connection.bytes(direction).forwarded).toBe(3);
      clock.advance(1);
      await to.untilSize(6);
      expect(to.bytes.toString()).toBe("onetwo");
      await until(() => {
        clock.advance(50);
        return to.ending === "end";
      });
    });
  });

  test("throttle: never more than the rate allows, and all in the end", async () => {
    const clock = new ManualClock();
    await withPair({ clock }, async (pair) => {
      const { from, to } = ends(pair, direction);
      pair.connection.throttle(1000, direction);
      from.send(WHOLE.subarray(0, 200));
      for (let ms = 0; ms < 190; ms += 10) {
        await to.untilSize(10 + ms);
        await until(() => clock.waiting === 1);
        expect(to.size).toBe(10 + ms);
        clock.advance(9);
        expect(pair.connection.bytes(direction).forwarded).toBe(10 + ms);
        clock.advance(1);
      }
      await to.untilSize(200);
      expect(to.bytes.equals(WHOLE.subarray(0, 200))).toBe(true);
    });
  });

  test.each([1, 7])("split into pieces of %d: the bytes are equal, and come in pieces", async (pieceBytes) => {
    await withPair({}, async (pair) => {
      const { from, to } = ends(pair, direction);
      pair.connection.split(pieceBytes, direction);
      from.send(WHOLE.subarray(0, 3000));
      await to.untilSize(3000);
      expect(to.bytes.equals(WHOLE.subarray(0, 3000))).toBe(true);
      // The kernel may join a few when this process is slow.
      expect(to.chunkSizes.length).toBeGreaterThan(3000 / pieceBytes / 4);
      expect(Math.min(...to.chunkSizes)).toBeLessThanOrEqual(pieceBytes);
    });
  });
});

describe("half-open", () => {
  test.each(["client", "target"] as const)("the %s is cut off, the other side is never told", async (gone) => {
    await withPair({}, async ({ proxy, connection, client, target, server }) => {
      const [lost, survivor] = gone === "client" ? [client, target] : [target, client];
      connection.halfOpen(gone);
      await lost.untilEnded();
      expect(lost.ending).toBe("ECONNRESET");
      survivor.send("is anyone there?");
      // Whatever the proxy would tell the survivor, it would have told it by the time that a new connection is through.
      const bystander = await connectPeer(proxy.port);
      bystander.send("x");
      await (await server.peer(1)).untilSize(1);
      expect(survivor.ending).toBe("open");
      expect(connection.state).toBe("halfOpen");
      expect(lost.size).toBe(0);
      expect(connection.bytes(gone === "client" ? "toClient" : "toTarget").received).toBe(0);
      bystander.socket.destroy();
    });
  });
});

describe("new connections", () => {
  test("are refused while open ones go on, and taken again on the same port", async () => {
    await withPair({}, async ({ proxy, client, target }) => {
      const { port } = proxy;
      proxy.refuse();
      const refused = connect({ port, host: "127.0.0.1" });
      const [error] = (await once(refused, "error")) as [NodeJS.ErrnoException];
      expect(error.code).toBe("ECONNREFUSED");
      client.send("still here");
      await target.untilSize(10);
      await proxy.accept();
      expect(proxy.port).toBe(port);
      const again = await connectPeer(port);
      again.socket.destroy();
    });
  });

  test("come under the faults that hold for all", async () => {
    await withPair({}, async ({ proxy, server }) => {
      proxy.stall("toClient");
      const late = await connectPeer(proxy.port);
      const target = await server.peer(1);
      target.send("held");
      late.send("the other way");
      await target.untilSize(13);
      expect(late.size).toBe(0);
      proxy.heal();
      await late.untilSize(4);
      expect(late.bytes.toString()).toBe("held");
      late.socket.destroy();
    });
  });

  test("go where the proxy was pointed to last", async () => {
    await withPair({}, async ({ proxy, client, target }) => {
      await using other = await PeerServer.start();
      proxy.retarget({ port: other.port });
      const late = await connectPeer(proxy.port);
      late.send("new");
      client.send("old");
      await (await other.peer()).untilSize(3);
      await target.untilSize(3);
      expect([other.peers[0]?.bytes.toString(), target.bytes.toString()]).toEqual(["new", "old"]);
      late.socket.destroy();
    });
  });
});

describe("rules", () => {
  test("behind a pattern that comes in pieces, and some bytes more", async () => {
    const rules = [
      { connection: 0, at: { direction: "toClient", after: /EO+F/, plus: 2 }, action: { do: "cut" } },
    ] as const;
    await withPair({ rules }, async ({ connection, client, target }) => {
      for (const piece of ["data E", "O", "Frest of it"]) {
        target.send(piece);
        await connection.whenReceived("toClient", piece === "data E" ? 6 : piece === "O" ? 7 : 18);
      }
      await client.untilEnded();
      expect(client.bytes.toString()).toBe("data EOFre");
    });
  });

  test("bytes of a pattern are taken as they are", async () => {
    const after = Buffer.from([0xc8, 0x2e, 0]);
    const rules = [{ connection: 0, at: { direction: "toTarget", after }, action: { do: "cut" } }] as const;
    await withPair({ rules }, async ({ client, target }) => {
      client.send(Buffer.from([1, 0xc8, 0x41, 0, 2, 0xc8, 0x2e, 0, 3]));
      await target.untilEnded();
      expect([...target.bytes]).toEqual([1, 0xc8, 0x41, 0, 2, 0xc8, 0x2e, 0]);
    });
  });

  test("pick connections by what the client says first, the n-th of them if wanted", async () => {
    const id = "a".repeat(40);
    const flow = (i: number): string =>
      `*5\r\n$4\r\nDFLY\r\n$4\r\nFLOW\r\n$40\r\n${id}\r\n$5\r\nSYNC1\r\n$1\r\n${i}\r\n`;
    const places = [
      { name: "control", connection: controlConnection(), at: { direction: "toClient", offset: 3 } },
      { name: "flow", connection: flowConnection(1), at: { direction: "toClient", offset: 4 } },
      { name: "again", connection: flowConnection(0, 1), at: { direction: "toClient", offset: 5 } },
    ] as const;
    const rules = places.map((place) => ({ ...place, action: { do: "cut" } }) as const);
    await using server = await PeerServer.start();
    await using proxy = await startFaultProxy({ target: { port: server.port }, rules });
    const heads = [flow(0), "*3\r\n$8\r\nREPLCONF\r\n", flow(1), `DFLY FLOW ${id} SYNC1 1\r\n`, flow(0)];
    const clients: TcpPeer[] = [];
    for (const [i, head] of heads.entries()) {
      const client = await connectPeer(proxy.port);
      clients.push(client);
      // In two pieces: the choice must not be made too early.
      client.send(head.slice(0, 12));
      const target = await server.peer(i);
      await target.untilSize(12);
      client.send(head.slice(12));
      await target.untilSize(head.length);
      target.send("0123456789");
      await client.untilSize(10);
    }
    expect(clients.map(({ bytes: { length } }) => length)).toEqual([10, 3, 4, 10, 5]);
    expect(proxy.events.filter(({ what }) => what.startsWith("rule")).map(({ connection }) => connection)).toEqual([
      1, 2, 4,
    ]);
    for (const { socket } of clients) socket.destroy();
  });

  test("chain by events, and run as often as they say", async () => {
    const ran: string[] = [];
    const run = (what: string) => ({ do: "run", what, run: () => void ran.push(what) }) as const;
    const rules = [
      { name: "first", connection: "every", at: { direction: "toTarget", offset: 2 }, action: run("a") },
      { connection: "every", at: { event: "first" }, action: run("b"), times: 1 },
      { connection: 1, at: { event: "by hand" }, action: run("c") },
    ] as const;
    await withPair({ rules }, async ({ proxy, server, client, target }) => {
      client.send("xx");
      await target.untilSize(2);
      const second = await connectPeer(proxy.port);
      second.send("yy");
      await (await server.peer(1)).untilSize(2);
      expect(ran).toEqual(["a", "b", "a"]);
      proxy.emit("by hand");
      proxy.emit("by hand");
      expect(ran).toEqual(["a", "b", "a", "c"]);
      second.socket.destroy();
    });
  });

  test("added later hold for open connections; healed, none runs any more", async () => {
    await withPair({}, async ({ proxy, client, target }) => {
      proxy.addRule({ connection: 0, at: { direction: "toTarget", offset: 3 }, action: { do: "cut" } });
      proxy.heal();
      proxy.addRule({
        connection: 0,
        at: { direction: "toTarget", offset: 5 },
        action: { do: "corrupt", direction: "toTarget", xor: 1 },
      });
      client.send("aaaaaaaa");
      await target.untilSize(8);
      expect(target.bytes.toString()).toBe("aaaaa`aa");
    });
  });

  test("shaping ends by itself when it says so", async () => {
    const clock = new ManualClock();
    const rules = [
      { connection: 0, at: { direction: "toTarget", offset: 2 }, action: { do: "stall", forMs: 1000 } },
    ] as const;
    await withPair({ rules, clock }, async ({ connection, client, target }) => {
      client.send("abcd");
      await target.untilSize(2);
      clock.advance(999);
      expect(connection.bytes("toTarget").forwarded).toBe(2);
      clock.advance(1);
      await target.untilSize(4);
      expect(target.bytes.toString()).toBe("abcd");
    });
  });
});

test("a failure is told with the seed, the rules and what happened", async () => {
  await withPair({ seed: 42 }, async ({ proxy }) => {
    const error = await rejection(
      proxy.explain(async () => {
        throw new Error("keys differ");
      }),
    );
    expect(error.message).toContain("keys differ\nfaults of DF2REDIS_TEST_SEED=42\n  rule random 0: connection ");
    expect(error.message).toMatch(/ ms #0 connected/);
  });
});
