/**
 * Deadlines of fields and members on real servers: random commands on a simulated master, whose journal is translated, and the target must hold the
 * same sets and hashes. A server without deadlines of fields has them kept by df2redis, one that has them keeps them itself.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REDIS_70, REDIS_74 } from "../../../test/support/capabilities.ts";
import { JournalTranslation } from "../../../test/support/journal-translation.ts";
import { LiveCommands } from "../../../test/support/live-commands.ts";
import { takeCommands } from "../../../test/support/parse-commands.ts";
import { type RedisServer, startRedis } from "../../../test/support/redis-server.ts";
import { type Reply, type RespClient, RespError } from "../../../test/support/resp-client.ts";
import { testServers } from "../../../test/support/test-servers.ts";

const HASHES = ["h1", "h2"];
const SETS = ["s1", "s2"];

const key = fc.constantFrom(...HASHES);
const set = fc.constantFrom(...SETS);
const name = fc.constantFrom("a", "b", "c");
const ttl = fc.integer({ min: 1, max: 6 }).map(String);
const words = (...parts: (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part))).map((all) => all.join(" "));

const command = fc.oneof(
  words("SADD", set, name),
  words("SADDEX", set, ttl, name, name),
  words("SADDEX", set, "KEEPTTL", ttl, name),
  words("SREM", set, name),
  words("SMOVE", set, set, name),
  words("HSET", key, name, "1"),
  words("HSETNX", key, name, "2"),
  words("HSETEX", key, ttl, name, "3"),
  words("HSETEX", key, "KEEPTTL", ttl, name, "4"),
  words("HSETEX", key, "NX", ttl, name, "5"),
  words("HINCRBY", key, name, "1"),
  words("HDEL", key, name),
  words("HEXPIRE", key, ttl, "FIELDS", "1", name),
  words("FIELDEXPIRE", fc.constantFrom(...HASHES, ...SETS), ttl, name),
  words("RENAME", "h1", "h2"),
  words("RENAME", "s1", "s2"),
  words("DEL", fc.constantFrom(...HASHES, ...SETS)),
);
const wait = fc.integer({ min: 1, max: 3000 });

type Values = Record<string, string[]>;

function sourceValues(live: LiveCommands): Values {
  const values: Values = {};
  for (const one of HASHES) values[one] = pairs(live.ask(`HGETALL ${one}`) as string[]);
  for (const one of SETS) values[one] = (live.ask(`SMEMBERS ${one}`) as string[]).toSorted();
  return values;
}

async function targetValues(client: RespClient): Promise<Values> {
  const texts = (reply: Reply): string[] => (reply as readonly Reply[]).map(String);
  const values: Values = {};
  for (const one of HASHES) values[one] = pairs(texts(await client.call("HGETALL", one)));
  for (const one of SETS) values[one] = texts(await client.call("SMEMBERS", one)).toSorted();
  return values;
}

function pairs(flat: readonly string[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < flat.length; i += 2) found.push(`${flat[i]}=${flat[i + 1]}`);
  return found.toSorted();
}

function namesOf(values: Values, of: string): string[] {
  return (values[of] ?? []).map((text) => text.replace(/=.*/, ""));
}

async function send(client: RespClient, translation: JournalTranslation): Promise<void> {
  const replies = await client.pipeline([...takeCommands(translation.encoder), ["PING"]]);
  expect(replies.filter((reply) => reply instanceof RespError)).toEqual([]);
}

/** Entries of the master since the last time, to the target. */
async function replicate(live: LiveCommands, translation: JournalTranslation, client: RespClient): Promise<void> {
  for (const { text } of live.takeJournal()) translation.translate(text.split(" "));
  await send(client, translation);
}

describe.each(testServers())("$name", ({ path }) => {
  let server: RedisServer | undefined;
  let client: RespClient;
  let hasFieldDeadlines = false;

  beforeAll(async () => {
    server = await startRedis({ program: path });
    client = await server.client();
    const info = (await client.call("COMMAND", "INFO", "HPEXPIREAT")) as readonly Reply[];
    hasFieldDeadlines = Array.isArray(info[0]);
  });
  afterAll(async () => {
    client.close();
    await server?.stop();
  });

  test("kept by df2redis, the target holds what the source holds, and more only where that is counted", async () => {
    const steps = fc.array(fc.oneof({ weight: 4, arbitrary: command }, { weight: 1, arbitrary: wait }), {
      maxLength: 60,
    });
    let exact = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        await client.call("FLUSHALL");
        const live = new LiveCommands();
        const plan = { fieldTtl: "convert", memberTtl: "convert" } as const;
        const translation = new JournalTranslation({ now: live.nowMs, plan });
        for (const step of script) {
          if (typeof step === "number") {
            live.nowMs += step;
            translation.now = live.nowMs;
          } else live.ask(step);
          await replicate(live, translation, client);
          translation.members.release(translation.encoder, translation.now);
          await send(client, translation);
        }
        const [source, target] = [sourceValues(live), await targetValues(client)];
        const isCounted = translation.losses.some((loss) => /^(?:fieldTtl|memberTtl) /.test(loss));
        if (!isCounted) {
          exact++;
          expect(target).toEqual(source);
        }
        for (const one of [...HASHES, ...SETS])
          expect(namesOf(target, one)).toEqual(expect.arrayContaining(namesOf(source, one)));
      }),
      { numRuns: 60 },
    );
    expect(exact).toBeGreaterThan(10);
  });

  test("however late the journal comes, nothing is deleted that the source still held at that time", async () => {
    const steps = fc.array(fc.oneof({ weight: 3, arbitrary: command }, { weight: 1, arbitrary: wait }), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 8000 }), async (script, lagMs) => {
        await client.call("FLUSHALL");
        const live = new LiveCommands();
        const plan = { fieldTtl: "convert", memberTtl: "convert" } as const;
        const translation = new JournalTranslation({ now: live.nowMs, plan });
        for (const step of script) {
          if (typeof step === "number") live.nowMs += step;
          else live.ask(step);
          translation.now = live.nowMs + lagMs;
          await replicate(live, translation, client);
          translation.members.release(translation.encoder, live.nowMs);
          await send(client, translation);
          const [source, target] = [sourceValues(live), await targetValues(client)];
          for (const one of [...HASHES, ...SETS])
            expect(namesOf(target, one)).toEqual(expect.arrayContaining(namesOf(source, one)));
        }
      }),
      { numRuns: 40 },
    );
  });

  test("kept by the target, fields have the source's deadlines", async ({ skip }) => {
    if (!hasFieldDeadlines) return skip();
    const far = fc.integer({ min: 1000, max: 5000 }).map(String);
    const onHashes = fc.oneof(
      words("HSET", key, name, "1"),
      words("HSETNX", key, name, "2"),
      words("HSETEX", key, far, name, "3"),
      words("HSETEX", key, "KEEPTTL", far, name, "4"),
      words("HSETEX", key, "NX", far, name, "5"),
      words("HINCRBY", key, name, "1"),
      words("HINCRBYFLOAT", key, name, "1"),
      words("HDEL", key, name),
      words("HEXPIRE", key, far, "FIELDS", "1", name),
      words("FIELDEXPIRE", key, far, name),
      words("RENAME", "h1", "h2"),
      words("DEL", key),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(onHashes, { maxLength: 40 }), fc.boolean(), async (script, isCatchingUp) => {
        await client.call("FLUSHALL");
        const live = new LiveCommands();
        live.nowMs = Date.now();
        const plan = { fieldTtl: "native", memberTtl: "convert" } as const;
        const translation = new JournalTranslation({ now: live.nowMs, plan, capabilities: REDIS_74, isCatchingUp });
        for (const step of script) live.ask(step);
        await replicate(live, translation, client);
        translation.translator.deadlines.beginStable();
        translation.members.armFields(translation.encoder, "all");
        await send(client, translation);
        expect(await targetValues(client)).toEqual(sourceValues(live));
        for (const hash of HASHES) {
          for (const field of ["a", "b", "c"]) {
            const left = live.ask(`FIELDTTL ${hash} ${field}`) as number;
            const [at] = (await client.call("HPEXPIRETIME", hash, "FIELDS", 1, field)) as readonly number[];
            const expected = left < 0 ? expect.toBeOneOf([-1, -2]) : (Math.floor(live.nowMs / 1000) + left) * 1000;
            expect([hash, field, at]).toEqual([hash, field, expected]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test("a field that passes its deadline on the target before its renewal arrives is not lost", async () => {
    await client.call("FLUSHALL");
    const now = Date.now();
    const fieldTtl = hasFieldDeadlines ? "native" : "convert";
    const translation = new JournalTranslation({
      now: now - 60_000,
      plan: { fieldTtl, memberTtl: "convert" },
      capabilities: hasFieldDeadlines ? REDIS_74 : REDIS_70,
      isCatchingUp: true,
    });
    for (const entry of ["HSETEX h 10 f v", "SADDEX s 10 m"]) translation.translate(entry.split(" "));
    translation.now = now;
    await send(client, translation);
    for (const entry of ["HEXPIRE h 3600 FIELDS 1 f", "SADDEX s 3600 m"]) translation.translate(entry.split(" "));
    translation.members.release(translation.encoder, now);
    translation.translator.deadlines.beginStable();
    translation.members.armFields(translation.encoder, "settled");
    await send(client, translation);
    expect(await client.call("HGET", "h", "f")).toEqual(Buffer.from("v"));
    expect(await client.call("SISMEMBER", "s", "m")).toBe(1);
    if (!hasFieldDeadlines) return;
    const [at] = (await client.call("HPEXPIRETIME", "h", "FIELDS", 1, "f")) as readonly number[];
    expect(at).toBe((Math.floor(now / 1000) + 3600) * 1000);
  });

  test("what FIELDEXPIRE says of a key is done to a hash and to a set", async () => {
    await client.call("FLUSHALL");
    const translation = new JournalTranslation({ now: 0, plan: { fieldTtl: "convert", memberTtl: "convert" } });
    await client.call("HSET", "h", "f", "v", "g", "v");
    await client.call("SADD", "s", "f", "g");
    await client.call("SET", "k", "v");
    for (const one of ["h", "s", "k", "none"]) translation.translate(["FIELDEXPIRE", one, "10", "f", "x"]);
    translation.members.release(translation.encoder, 10_000);
    await send(client, translation);
    expect(String(await client.call("HKEYS", "h"))).toBe("g");
    expect(String(await client.call("SMEMBERS", "s"))).toBe("g");
  });
});
