import { afterEach, expect, test } from "vitest";
import { plainEndpoint } from "../../test/support/scripted-server.ts";
import { useRedis } from "../../test/support/use-redis.ts";
import { eventually, rejection } from "../../test/support/until.ts";
import type { Df2RedisError } from "../errors/df2redis-error.ts";
import { DocumentReader } from "./document-reader.ts";

const redis = useRedis();
const readers: DocumentReader[] = [];
afterEach(() => {
  for (const opened of readers.splice(0)) opened.close();
});

function reader(retryMs = 0): DocumentReader {
  const made = new DocumentReader({
    endpoint: plainEndpoint(redis.server.port),
    connectTimeoutMs: 5000,
    replyTimeoutMs: 5000,
    retryMs,
  });
  readers.push(made);
  return made;
}

test("reads strings of any database, whatever is asked at once", async () => {
  await redis.client.call("SET", "k", "zero");
  await redis.client.call("SELECT", 3);
  await redis.client.call("SET", "k", "three");
  const documents = reader();
  const key = Buffer.from("k");
  const texts = await Promise.all([documents.read(3, key), documents.read(0, key), documents.read(1, key)]);
  expect(texts).toEqual(["three", "zero", undefined]);
});

test("what is no string is refused, and the next one is read all the same", async () => {
  await redis.client.call("RPUSH", "list", "x");
  await redis.client.call("SET", "k", "v");
  const documents = reader();
  const refused = documents.read(0, Buffer.from("list"));
  const next = documents.read(0, Buffer.from("k"));
  expect(await rejection<Df2RedisError>(refused)).toMatchObject({ code: "TARGET_REJECTED" });
  expect(await next).toBe("v");
});

test("a connection that the server has closed meanwhile is opened again, in the right database", async () => {
  await redis.client.call("SELECT", 2);
  await redis.client.call("SET", "k", "v");
  const documents = reader();
  expect(await documents.read(2, Buffer.from("k"))).toBe("v");
  expect(await redis.client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")).toBe(1);
  expect(await documents.read(2, Buffer.from("k"))).toBe("v");
});

test("a read is tried again while a script of somebody keeps the target busy", async () => {
  const busy = await redis.server.client();
  await redis.client.call("SET", "k", "v");
  await redis.client.call("CONFIG", "SET", "busy-reply-threshold", 1);
  const spinning = busy.call("EVAL", "while true do end", 0).catch(() => undefined);
  try {
    await eventually(async () => {
      const reply = await redis.client.call("PING").catch((thrown: unknown) => String(thrown));
      return String(reply).includes("BUSY");
    }, "the target to be busy");
    const strict = await rejection<Df2RedisError>(reader().read(0, Buffer.from("k")));
    expect(strict.message).toContain("BUSY");
    const patient = reader(60_000).read(0, Buffer.from("k"));
    await redis.client.call("SCRIPT", "KILL");
    expect(await patient).toBe("v");
  } finally {
    await spinning;
    busy.close();
  }
});
