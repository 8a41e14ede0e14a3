/** The live simulator over real sockets: connections, authentication, transactions, waiting writers, and the border to the replication side. */
import { describe, expect, test } from "vitest";
import { makeCertificates } from "../../../test/support/certificates.ts";
import { RawConnection } from "../../../test/support/raw-connection.ts";
import { RespClient, RespError } from "../../../test/support/resp-client.ts";
import { rejection, until } from "../../../test/support/until.ts";
import type { ClientConnection, MasterCore, ReplicationHandler } from "./replication-handler.ts";
import { type LiveMaster, type LiveMasterOptions, startLiveMaster } from "./server.ts";

/** A replication side that a test drives. */
class FakeReplication implements ReplicationHandler {
  readonly requests: string[] = [];
  readonly closed: number[] = [];
  blocked = false;
  refuses: string | undefined;
  onRequest: (connection: ClientConnection, words: readonly string[]) => boolean = (connection) => {
    connection.simple("OK");
    return true;
  };
  readonly replicas = (): [] => [];
  readonly infoReplication = (): string => "role:master\r\n";
  readonly stop = (): void => {};
  core: MasterCore | undefined;
  #waiting: (() => void)[] = [];

  handle(connection: ClientConnection, args: readonly Buffer[]): boolean {
    const words = args.map((word) => word.toString("latin1"));
    this.requests.push(words.join(" "));
    return this.onRequest(connection, words);
  }

  onConnectionClosed({ id }: ClientConnection): void {
    this.closed.push(id);
  }

  writesBlocked(): boolean {
    return this.blocked;
  }

  whenWritable(resume: () => void): void {
    this.#waiting.push(resume);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  unblock(): void {
    this.blocked = false;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  refusal(): string | undefined {
    return this.refuses;
  }
}

async function startFake(
  options: Partial<LiveMasterOptions> = {},
): Promise<{ master: LiveMaster; fake: FakeReplication }> {
  const fake = new FakeReplication();
  const master = await startLiveMaster({
    shards: 2,
    ...options,
    replication: (core) => {
      fake.core = core;
      return fake;
    },
  });
  return { master, fake };
}

describe("connections", () => {
  test("answer pipelined requests in order, in few packets", async () => {
    await using master = await startLiveMaster({ shards: 4 });
    await using client = await RespClient.connect({ port: master.port });
    const replies = await client.pipeline([
      ...Array.from({ length: 1000 }, (_, i) => ["SET", `k${i}`, i]),
      ["DBSIZE"],
      ["GET", "k999"],
    ]);
    expect(replies.slice(0, 1000)).toEqual(Array.from({ length: 1000 }, () => "OK"));
    expect(replies.slice(1000)).toEqual([1000, Buffer.from("999")]);
  });

  test("take inline commands, keep their own database and name", async () => {
    await using master = await startLiveMaster({ shards: 1 });
    const [a, b] = [await RawConnection.open(master.port), await RawConnection.open(master.port)];
    expect(await a.ask("SELECT 3")).toBe("+OK\r\n");
    expect(await a.ask("set k v")).toBe("+OK\r\n");
    expect(await a.ask("CLIENT SETNAME first")).toBe("+OK\r\n");
    expect(await b.ask("GET k")).toBe("$-1\r\n");
    expect(await a.ask("GET k", 2)).toBe("$1\r\nv\r\n");
    expect(await b.ask("CLIENT GETNAME")).toBe("$-1\r\n");
    expect(await a.ask("CLIENT GETNAME", 2)).toBe("$5\r\nfirst\r\n");
    a.close();
    b.close();
  });

  test("close on bytes that are no request, and on QUIT", async () => {
    await using master = await startLiveMaster({ shards: 1 });
    const bad = await RawConnection.open(master.port);
    bad.send("*1\r\n:5\r\n");
    await bad.untilClosed();
    expect(bad.bytes().toString()).toBe("-ERR Protocol error: expected '$'\r\n");
    const quitting = await RawConnection.open(master.port);
    quitting.send("PING\r\nQUIT\r\n");
    await quitting.untilClosed();
    expect(quitting.bytes().toString()).toBe("+PONG\r\n+OK\r\n");
  });

  test("take long values in and give them out", async () => {
    await using master = await startLiveMaster({ shards: 1 });
    await using client = await RespClient.connect({ port: master.port });
    const long = Buffer.alloc(1_000_000, "abcdefgh");
    await client.call("SET", "k", long);
    expect(await client.call("GET", "k")).toEqual(long);
  });

  test("over TLS", async () => {
    using certificates = makeCertificates();
    const { key, cert, ca } = certificates;
    await using master = await startLiveMaster({ shards: 1, tls: { key, cert } });
    await using client = await RespClient.connect({ port: master.port, tls: { ca } });
    expect(await client.call("PING")).toBe("PONG");
  });

  test("end when the server stops, and so does `stopped`", async () => {
    const master = await startLiveMaster({ shards: 1 });
    const connection = await RawConnection.open(master.port);
    expect(await connection.ask("PING")).toBe("+PONG\r\n");
    connection.send("SHUTDOWN\r\n");
    await connection.untilClosed();
    await master.stopped;
    expect(await rejection(RespClient.connect({ port: master.port }))).toBeInstanceOf(Error);
  });
});

describe("users", () => {
  test("may do what their rules say", async () => {
    const users = [
      { name: "reader", password: "pw", rules: ["+@read", "+ping"] },
      { name: "repl", password: "pw" },
    ];
    await using master = await startLiveMaster({ shards: 1, requirepass: "secret", users });
    await using client = await RespClient.connect({ port: master.port });
    await expect(client.call("GET", "k")).rejects.toThrowError("NOAUTH Authentication required.");
    await expect(client.call("AUTH", "reader", "no")).rejects.toThrowError("WRONGPASS");
    await client.call("AUTH", "reader", "pw");
    expect(await client.call("GET", "k")).toBeNull();
    await expect(client.call("SET", "k", "v")).rejects.toThrowError("NOPERM reader has no ACL permissions");
    await expect(client.call("DFLY", "THREAD")).rejects.toThrowError("NOPERM reader has no ACL permissions");
    await client.call("AUTH", "repl", "pw");
    expect(await client.call("SET", "k", "v")).toBe("OK");
    expect(String(await client.call("ACL", "WHOAMI"))).toBe("User is repl");
  });
});

describe("MULTI", () => {
  test("runs all at once under one number; single commands have 0", async () => {
    await using master = await startLiveMaster({ shards: 4 });
    const txids: number[] = [];
    for (const shard of master.shards) shard.onRecord = ({ txid }) => void txids.push(txid);
    await using client = await RespClient.connect({ port: master.port });
    const replies = await client.pipeline([
      ["MULTI"],
      ["SET", "a", 1],
      ["INCR", "b"],
      ["LPUSH", "a", 2],
      ["MSET", "c", 1, "d", 2],
      ["EXEC"],
      ["SET", "a", 2],
    ]);
    expect(replies.slice(0, 5)).toEqual(["OK", "QUEUED", "QUEUED", "QUEUED", "QUEUED"]);
    const results = replies[5] as readonly unknown[];
    expect([results[0], results[1], results[3]]).toEqual(["OK", 1, "OK"]);
    expect(results[2]).toBeInstanceOf(RespError);
    expect(new Set(txids.slice(0, -1))).toEqual(new Set([1]));
    expect(txids.at(-1)).toBe(0);
  });

  test("is given up by DISCARD, by an error while queueing, and refuses what may not be in it", async () => {
    await using master = await startLiveMaster({ shards: 1 });
    await using client = await RespClient.connect({ port: master.port });
    const errors = (
      await client.pipeline([
        ["MULTI"],
        ["SET", "k", 1],
        ["DISCARD"],
        ["EXEC"],
        ["MULTI"],
        ["MULTI"],
        ["SET", "k"],
        ["SET", "k", 1],
        ["EXEC"],
      ])
    ).map(String);
    expect(errors).toEqual([
      "OK",
      "QUEUED",
      "OK",
      "Error: ERR EXEC without MULTI",
      "OK",
      "Error: ERR 'MULTI' not allowed inside a transaction",
      "Error: ERR wrong number of arguments for 'set' command",
      "QUEUED",
      "Error: EXECABORT Transaction discarded because of previous errors.",
    ]);
    expect(await client.call("EXISTS", "k")).toBe(0);
  });
});

describe("waiting", () => {
  test("CLIENT PAUSE WRITE holds writers back, in order, until it ends", async () => {
    await using master = await startLiveMaster({ shards: 1 });
    await using admin = await RespClient.connect({ port: master.port });
    await using writer = await RespClient.connect({ port: master.port });
    await admin.call("CLIENT", "PAUSE", 100_000, "WRITE");
    const replies = writer.pipeline([
      ["GET", "k"],
      ["SET", "k", 1],
      ["GET", "k"],
    ]);
    expect(await admin.call("GET", "k")).toBeNull();
    expect(await admin.call("CLIENT", "UNPAUSE")).toBe("OK");
    expect(await replies).toEqual([null, "OK", Buffer.from("1")]);
  });

  test("a pause ends by itself", async () => {
    await using master = await startLiveMaster({ shards: 1 });
    await using client = await RespClient.connect({ port: master.port });
    await client.call("CLIENT", "PAUSE", 20, "ALL");
    expect(await client.call("SET", "k", 1)).toBe("OK");
  });

  test("writers wait while the replication side says so; readers and MULTI do not, EXEC does", async () => {
    const { master, fake } = await startFake();
    await using _ = master;
    await using client = await RespClient.connect({ port: master.port });
    await using other = await RespClient.connect({ port: master.port });
    fake.blocked = true;
    const replies = client.pipeline([["GET", "k"], ["MULTI"], ["SET", "k", 1], ["EXEC"], ["GET", "k"]]);
    const single = other.pipeline([
      ["SET", "j", 1],
      ["DFLY", "X"],
    ]);
    await until(() => fake.waiting === 2);
    expect(fake.requests).toEqual([]);
    fake.unblock();
    expect(await replies).toEqual([null, "OK", "QUEUED", ["OK"], Buffer.from("1")]);
    expect(await single).toEqual(["OK", "OK"]);
  });
});

describe("the border to replication", () => {
  test("REPLCONF and DFLY go to the handler, unknown ones are said to be unknown", async () => {
    const { master, fake } = await startFake();
    await using _ = master;
    await using client = await RespClient.connect({ port: master.port });
    expect(await client.pipeline([["replconf", "capa", "x"], ["PING"]])).toEqual(["OK", "PONG"]);
    fake.onRequest = () => false;
    await expect(client.call("DFLY", "NONE")).rejects.toThrowError("ERR unknown command `DFLY`");
    expect(fake.requests).toEqual(["replconf capa x", "DFLY NONE"]);
    client.close();
    await until(() => fake.closed.length === 1);
  });

  test("an answer that comes later holds back what is behind it", async () => {
    const { master, fake } = await startFake();
    await using _ = master;
    let answer: () => void = () => {};
    fake.onRequest = (connection) => {
      const resume = connection.suspend();
      answer = () => {
        connection.simple("LATE");
        resume();
      };
      return true;
    };
    await using client = await RespClient.connect({ port: master.port });
    const replies = client.pipeline([["DFLY", "TAKEOVER"], ["PING"]]);
    await until(() => fake.requests.length === 1);
    answer();
    expect(await replies).toEqual(["LATE", "PONG"]);
  });

  test("a connection that is taken over: bytes go out as they are, requests come in, its end is told", async () => {
    const { master, fake } = await startFake();
    await using _ = master;
    const acks: string[] = [];
    fake.onRequest = (connection) => {
      connection.arrayHead(2);
      connection.simple("FULL");
      connection.simple("token");
      const socket = connection.takeOver((args) => acks.push(args.map(String).join(" ")));
      socket.write(Buffer.from([0, 1, 2]));
      connection.attributes.set("name", "repl_flow_1");
      return true;
    };
    const flow = await RawConnection.open(master.port);
    flow.send("DFLY FLOW x y 0\r\nREPLCONF ACK 5\r\n");
    await flow.until(() => flow.bytes().includes(2));
    expect(flow.bytes().toString("latin1")).toBe("*2\r\n+FULL\r\n+token\r\n\0\u0001\u0002");
    flow.send("*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n9\r\n");
    await until(() => acks.length === 2);
    expect(acks).toEqual(["REPLCONF ACK 5", "REPLCONF ACK 9"]);
    await using client = await RespClient.connect({ port: master.port });
    expect(String(await client.call("CLIENT", "LIST"))).toMatch(/name=repl_flow_1 /);
    flow.close();
    await until(() => fake.closed.length === 1);
  });

  test("commands are refused while a takeover says so", async () => {
    const { master, fake } = await startFake();
    await using _ = master;
    await using client = await RespClient.connect({ port: master.port });
    fake.refuses = "LOADING Dragonfly is loading the dataset in memory";
    await expect(client.call("SET", "k", "v")).rejects.toThrowError("LOADING");
    fake.refuses = undefined;
    expect(await client.call("EXISTS", "k")).toBe(0);
  });

  test("the handler sees flags and their changes", async () => {
    const { master, fake } = await startFake({ flags: { shard_repl_backlog_len: "10" } });
    await using _ = master;
    const changes: string[] = [];
    fake.core?.onConfigChange((name, value) => changes.push(`${name}=${value}`));
    await using client = await RespClient.connect({ port: master.port });
    expect(await client.call("CONFIG", "SET", "replication_timeout", 500)).toBe("OK");
    expect([
      fake.core?.config("replication_timeout"),
      fake.core?.config("shard_repl_backlog_len"),
      fake.core?.config("none"),
    ]).toEqual(["500", "10", undefined]);
    expect(changes).toEqual(["replication_timeout=500"]);
    await expect(client.call("CONFIG", "SET", "shard_repl_backlog_len", 5)).rejects.toThrowError("ERR");
    await expect(client.call("CONFIG", "SET", "dbnum", 5)).rejects.toThrowError("ERR");
  });
});

describe("the server's own commands", () => {
  test("DEBUG POPULATE", async () => {
    await using master = await startLiveMaster({ shards: 4 });
    await using client = await RespClient.connect({ port: master.port });
    const journal: string[] = [];
    for (const shard of master.shards) shard.onRecord = ({ args }) => void journal.push(args.map(String).join(" "));
    await client.call("DEBUG", "POPULATE", 3, "p", 4);
    expect(journal.toSorted()).toEqual(["SET p:0 xxxx", "SET p:1 xxxx", "SET p:2 xxxx"]);
    await client.call("DEBUG", "POPULATE", 2, "h", 4, "RAND", "TYPE", "hash", "ELEMENTS", 5);
    expect(await client.call("HLEN", "h:1")).toBe(5);
    expect(await client.call("DBSIZE")).toBe(5);
  });

  test("INFO has the wanted section, or all", async () => {
    await using master = await startLiveMaster({ shards: 2 });
    await using client = await RespClient.connect({ port: master.port });
    await client.call("SET", "k", "v", "EX", 100);
    await client.pipeline([
      ["GET", "k"],
      ["GET", "none"],
      ["GET", "none"],
      ["GET", "none"],
    ]);
    expect(String(await client.call("INFO", "keyspace"))).toBe(
      "# Keyspace\r\ndb0:keys=1,expires=1,hits=1,misses=3,hit_ratio=25.00,avg_ttl=-1\r\n",
    );
    const all = String(await client.call("INFO"));
    for (const title of ["Server", "Memory", "Replication", "Keyspace"]) expect(all).toContain(`# ${title}\r\n`);
    expect(String(await client.call("INFO", "nonsense"))).toBe("");
  });
});
