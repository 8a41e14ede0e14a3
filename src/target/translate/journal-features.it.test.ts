/** What features become on a real Redis without modules: documents as strings, scripts in its cache, rate limiters as numbers. */
import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { JournalTranslation, type Word } from "../../../test/support/journal-translation.ts";
import { takeCommands } from "../../../test/support/parse-commands.ts";
import { recordedJournal } from "../../../test/support/recorded-journal.ts";
import { expectedLines, openRecording, recordingNames } from "../../../test/support/recordings.ts";
import { RespError } from "../../../test/support/resp-client.ts";
import { objectHeader, translatorKit } from "../../../test/support/snapshot-translation.ts";
import { useRedis } from "../../../test/support/use-redis.ts";
import { Slice } from "../../bytes/slice.ts";
import { DROP_ALL, REDIS_70 } from "../../../test/support/capabilities.ts";
import type { TargetCapabilities } from "../capabilities.ts";

const redis = useRedis();
const PLAN = { json: "convert", lua: "native" } as const;
const DEADLINE = 1_893_456_000_123;
let translation: JournalTranslation;

beforeEach(() => {
  translation = new JournalTranslation({ plan: PLAN, now: Date.now() });
});

async function send(commands: readonly (readonly Buffer[])[]): Promise<void> {
  const replies = await redis.client.pipeline(commands);
  const error = replies.find((reply) => reply instanceof RespError);
  if (error instanceof RespError) throw error;
}

/** One entry as the flow applies it: commands first, then the changes of documents, each read and written back. */
async function apply(words: readonly Word[]): Promise<void> {
  translation.translate(words);
  await send(takeCommands(translation.encoder));
  for (const { key, change } of translation.edits.splice(0)) {
    const before = await redis.client.call("GET", key);
    const result = change(before === null ? undefined : String(before));
    if (result.kind === "set") await redis.client.call("SET", key, result.text, "KEEPTTL");
    if (result.kind === "delete") await redis.client.call("DEL", key);
    if (result.kind === "unrunnable") throw new Error(`${String(words[0])}: ${result.why}`);
  }
}

async function text(key: string): Promise<string | null> {
  const value = await redis.client.call("GET", key);
  return value === null ? null : String(value);
}

describe("documents as strings", () => {
  const recorded = recordingNames().filter((name) => /\/(?:types|types-4flows|partial)$/.test(name));

  test.each(recorded)("end as the source's, all changes of %s applied", async (name) => {
    const recording = openRecording(name);
    const changed = new Set<string>();
    translation = new JournalTranslation({ plan: PLAN, sourceVersion: name });
    for (const flow of recordedJournal(recording)) {
      for (const { args } of flow) {
        if (!/^JSON\./i.test(String(args[0]))) continue;
        await apply(args);
        changed.add(String(args[1]));
      }
    }
    let documents = 0;
    for (const { type, key, value } of expectedLines(recording)) {
      if (type !== "ReJSON-RL" || typeof key !== "string" || !changed.has(key)) continue;
      expect(JSON.parse((await text(key)) ?? "null")).toEqual(JSON.parse(String(value)));
      documents++;
    }
    expect(documents).toBeGreaterThan(1);
  });

  test("take the place of a string, end its deadline, and keep their own when they change", async () => {
    await redis.client.call("SET", "k", "old", "PXAT", DEADLINE);
    await apply(["JSON.SET", "k", "$", '{"a":1}']);
    expect(await redis.client.call("PTTL", "k")).toBe(-1);
    await redis.client.call("PEXPIREAT", "k", DEADLINE);
    await apply(["JSON.NUMINCRBY", "k", "$.a", "2"]);
    expect(JSON.parse((await text("k")) ?? "")).toEqual({ a: 3 });
    expect(await redis.client.call("PEXPIRETIME", "k")).toBe(DEADLINE);
  });

  test("obey NX and XX", async () => {
    await apply(["JSON.SET", "k", "$", "1", "XX"]);
    expect(await text("k")).toBeNull();
    await apply(["JSON.SET", "k", "$", "2", "NX"]);
    await apply(["JSON.SET", "k", "$", "3", "NX"]);
    expect(await text("k")).toBe("2");
    await apply(["JSON.SET", "k", "$", "4", "XX"]);
    expect(await text("k")).toBe("4");
    await apply(["JSON.DEL", "k", "$"]);
    expect(await text("k")).toBeNull();
  });

  test("keep their deadline when the source is a master before 1.33", async () => {
    translation = new JournalTranslation({ plan: PLAN, sourceVersion: "df-v1.32.0" });
    await redis.client.call("SET", "k", "old", "PXAT", DEADLINE);
    await apply(["JSON.SET", "k", "$", "1"]);
    expect(await redis.client.call("PEXPIRETIME", "k")).toBe(DEADLINE);
  });

  test("of a snapshot take the place of anything, with their deadline", async () => {
    const { translator, encoder } = translatorKit({ plan: { ...DROP_ALL, ...PLAN } });
    await redis.client.call("RPUSH", "doc", "x");
    const value = translator.begin(objectHeader({ key: "doc", expireAtMs: DEADLINE }), "json", 1);
    translator.json(value, Slice.from('{"a":"é"}'));
    translator.end(value);
    await send(takeCommands(encoder));
    expect(await text("doc")).toBe('{"a":"é"}');
    expect(await redis.client.call("PEXPIRETIME", "doc")).toBe(DEADLINE);
  });
});

describe("scripts", () => {
  const BODY = "redis.call('SET',KEYS[1],'1') return 7";
  const SHA = createHash("sha1").update(BODY).digest("hex");

  test("of the snapshot are found by clients by their SHA", async () => {
    const { translator, encoder } = translatorKit({ plan: { ...DROP_ALL, ...PLAN } });
    translator.aux(Slice.from("lua"), Slice.from(BODY.replace("call", "acall")));
    await send(takeCommands(encoder));
    expect(await redis.client.call("EVALSHA", SHA, 1, "k")).toBe(7);
  });

  test("of the journal, too", async () => {
    await redis.client.call("SCRIPT", "FLUSH");
    await apply(["SCRIPT", "LOAD", BODY]);
    expect(await redis.client.call("EVALSHA", SHA, 1, "k")).toBe(7);
  });

  test("that need a newer Lua are refused in words that tell so", async () => {
    await expect(apply(["SCRIPT", "LOAD", "return 7 // 2"])).rejects.toThrow(/^ERR Error compiling script/);
  });
});

describe("rate limiters", () => {
  const NS = 1_000_000n;
  /** Ahead of the server's clock, so that no limiter comes to rest while a test looks at it. */
  const NOW = Date.now() + 3_600_000;

  /** The number that the limiter's key holds. */
  async function state(): Promise<bigint | undefined> {
    const value = await text("k");
    return value === null ? undefined : BigInt(value);
  }

  async function throttle(atMs: number, ...words: readonly (string | number)[]): Promise<void> {
    translation.now = atMs;
    await apply(["CL.THROTTLE", "k", ...words]);
  }

  test("are numbers with a deadline, which refuse what is over the limit", async () => {
    // 3 at once, then one in 20 s.
    const words = ["2", "3", "60"] as const;
    for (let i = 1; i <= 3; i++) {
      await throttle(NOW, ...words);
      expect(await state()).toBe(BigInt(NOW) * NS + BigInt(i) * 20_000_000_000n);
    }
    expect(await redis.client.call("PEXPIRETIME", "k")).toBe(NOW + 60_000);
    await throttle(NOW + 19_999, ...words);
    expect(await redis.client.call("PEXPIRETIME", "k")).toBe(NOW + 60_000);
    await throttle(NOW + 20_000, ...words);
    expect(await redis.client.call("PEXPIRETIME", "k")).toBe(NOW + 80_000);
  });

  test("go on from the number that the snapshot brought", async () => {
    await redis.client.call("SET", "k", String(BigInt(NOW) * NS + 7n), "PXAT", NOW + 60_000);
    await throttle(NOW, "9", "10", "60", "2");
    expect(await state()).toBe(BigInt(NOW) * NS + 7n + 12_000_000_000n);
  });

  test("start anew after a pause", async () => {
    await redis.client.call("SET", "k", "17");
    await throttle(NOW, "9", "3", "1");
    expect(await state()).toBe(BigInt(NOW) * NS + 333_333_333n);
  });

  test("leave a value that is no number", async () => {
    await redis.client.call("SET", "k", "12x");
    await throttle(NOW, "9", "3", "1");
    expect(await text("k")).toBe("12x");
  });

  test("compute to the ns what Dragonfly computes", async () => {
    let tat = BigInt(NOW) * NS;
    let now = NOW;
    for (let i = 0; i < 200; i++) {
      const [burst, count, period, quantity] = [
        BigInt((i * 7) % 5),
        BigInt(1 + ((i * 13) % 9)),
        BigInt(1 + (i % 4)),
        BigInt(i % 3),
      ];
      const interval = (period * 1_000_000_000n) / count;
      now += (i * 31) % 400;
      const start = tat > BigInt(now) * NS ? tat : BigInt(now) * NS;
      const next = start + interval * quantity;
      const isAllowed = BigInt(now) * NS >= next - interval * (burst + 1n);
      const before = await state();
      await throttle(now, String(burst), String(count), String(period), String(quantity));
      if (isAllowed) tat = next;
      expect(await state()).toBe(isAllowed ? next : before);
    }
  });
});

describe("on a target without the module", () => {
  const MODULES: TargetCapabilities = {
    ...REDIS_70,
    commands: new Set([...REDIS_70.commands, "JSON.SET", "FT.CREATE"]),
  };

  test.each([
    [["JSON.SET", "k", "$", "{}"]],
    [["JSON.SET", "k", "$", "{}", "NX"]],
    [["FT.CREATE", "idx", "SCHEMA", "a", "TEXT"]],
  ])("the script of %j compiles, and says what is missing", async (words) => {
    translation = new JournalTranslation({ capabilities: MODULES, plan: { json: "native", search: "native" } });
    await expect(apply(words)).rejects.toThrow(/^ERR Unknown Redis command called from script/);
  });

  test("a condition that does not hold needs none", async () => {
    translation = new JournalTranslation({ capabilities: MODULES, plan: { json: "native" } });
    await redis.client.call("SET", "k", "v");
    await apply(["JSON.SET", "k", "$", "{}", "NX"]);
    await apply(["JSON.SET", "missing", "$", "{}", "XX"]);
    expect([await text("k"), await text("missing")]).toEqual(["v", null]);
  });
});
