/** I8: the sweep's deletions race workers and other clients on a real server, in every order of their steps. */
import { describe, expect, test } from "vitest";
import { useRedis } from "../../test/support/use-redis.ts";
import type { Argument } from "../../test/support/resp-client.ts";
import { Slice } from "../bytes/slice.ts";
import { Conversation, type RequestWord } from "../net/conversation.ts";
import type { Reply } from "../resp/reply.ts";
import { OwnedKeys } from "./owned-keys.ts";
import { UnclaimedDeleter } from "./unclaimed-deleter.ts";

const redis = useRedis();

const K = Buffer.from("k");

type HookName = "beforeWatch" | "afterWatch" | "beforeExec" | "afterExec";

/** Runs something in between: before a command is sent, or once it was answered. Each hook runs once, or with `every` each time. */
type Hooks = Partial<Record<HookName, () => Promise<void>>> & { readonly every?: boolean };

/** A conversation that runs hooks around WATCH and EXEC; what is asked meanwhile waits its turn. */
class HookedConversation {
  readonly #conversation: Conversation;
  readonly #hooks: Hooks;
  #last: Promise<unknown> = Promise.resolve();
  readonly asked: string[] = [];

  constructor(conversation: Conversation, hooks: Hooks) {
    this.#conversation = conversation;
    this.#hooks = { ...hooks };
  }

  get peer(): Conversation["peer"] {
    return this.#conversation.peer;
  }

  request(...args: readonly RequestWord[]): Promise<Reply> {
    const reply = this.#last.then(() => this.#ask(args));
    this.#last = reply;
    return reply;
  }

  async #ask(args: readonly RequestWord[]): Promise<Reply> {
    const name = String(args[0]);
    this.asked.push(name);
    if (name === "WATCH") await this.#run("beforeWatch");
    if (name === "EXEC") await this.#run("beforeExec");
    const reply = await this.#conversation.request(...args);
    if (name === "WATCH") await this.#run("afterWatch");
    if (name === "EXEC") await this.#run("afterExec");
    return reply;
  }

  async #run(name: HookName): Promise<void> {
    const hook = this.#hooks[name];
    if (this.#hooks.every !== true) delete this.#hooks[name];
    await hook?.();
  }
}

async function withDeleter<T>(
  owned: Pick<OwnedKeys, "isUnclaimed">,
  hooks: Hooks,
  run: (deleter: UnclaimedDeleter, asked: readonly string[]) => Promise<T>,
): Promise<T> {
  const { host, port } = redis.server;
  const endpoint = { host, port, user: undefined, password: undefined, tls: undefined };
  const options = { role: "target", connectTimeoutMs: 5000, replyTimeoutMs: 5000 } as const;
  const conversation = await Conversation.open(endpoint, options);
  try {
    const hooked = new HookedConversation(conversation, hooks);
    return await run(new UnclaimedDeleter(hooked, owned), hooked.asked);
  } finally {
    conversation.close();
  }
}

function ownedOf(...keys: readonly string[]): OwnedKeys {
  const owned = OwnedKeys.create({ expectedKeys: keys.length, memoryBytes: 1 << 20 });
  for (const key of keys) owned.add(0, Slice.from(key));
  return owned;
}

/** All ways to spread `steps` steps, in their order, over `gaps` gaps. */
function spreads(steps: number, gaps: number, from = 0): number[][] {
  if (steps === 0) return [[]];
  const found: number[][] = [];
  for (let gap = from; gap < gaps; gap++) for (const rest of spreads(steps - 1, gaps, gap)) found.push([gap, ...rest]);
  return found;
}

const GAPS = ["beforeWatch", "afterWatch", "beforeExec", "afterExec"] as const;

type Step = (owned: OwnedKeys) => Promise<unknown>;

const claim: Step = async (owned) => owned.claim(0, Slice.from(K));
const send =
  (...args: Argument[]): Step =>
  async () =>
    await redis.client.call(...args);

const WORKERS: readonly (readonly [string, readonly Step[], readonly Argument[], unknown])[] = [
  [
    "an entry: claim, UNLINK, RPUSH",
    [claim, send("UNLINK", K), send("RPUSH", K, "new")],
    ["LRANGE", K, 0, -1],
    ["new"],
  ],
  ["an object: claim, SET", [claim, send("SET", K, "new")], ["GET", K], "new"],
  ["an entry that deletes: claim, UNLINK, DEL", [claim, send("UNLINK", K), send("DEL", K)], ["EXISTS", K], 0],
];

const shown = (reply: unknown): unknown =>
  Array.isArray(reply) ? reply.map(String) : Buffer.isBuffer(reply) ? String(reply) : reply;

describe.each(WORKERS)("%s", (_, steps, read, expected) => {
  const orders = spreads(steps.length, GAPS.length);

  test.each(orders.map((gaps) => [gaps.map((gap) => GAPS[gap]).join(", "), gaps] as const))(
    "its write survives with its steps at: %s",
    async (_name, gaps) => {
      await redis.client.call("RPUSH", K, "old");
      const owned = ownedOf("k");
      let done = 0;
      const runUpTo = async (gap: number): Promise<void> => {
        for (; done < steps.length && (gaps[done] ?? 0) <= gap; done++) await steps[done]?.(owned);
      };
      const hooks = Object.fromEntries(GAPS.map((name, gap) => [name, () => runUpTo(gap)]));
      await withDeleter(owned, hooks, async (deleter) => await deleter.delete(0, [K]));
      // What was to come at an EXEC that was not sent, since the key was claimed.
      await runUpTo(GAPS.length);
      expect(shown(await redis.client.call(...read))).toEqual(expected);
    },
  );
});

describe("without a claim", () => {
  test("deletes what is there, in one EXEC, and leaves the claimed alone", async () => {
    for (const key of ["a", "b", "c"]) await redis.client.call("SET", key, "old");
    const owned = ownedOf("a", "b", "c", "gone");
    owned.claim(0, Slice.from("b"));
    const keys = ["a", "b", "c", "gone"].map((key) => Buffer.from(key));
    await withDeleter(owned, {}, async (deleter, asked) => {
      expect(await deleter.delete(0, keys)).toEqual({ deleted: 2, unlinked: [keys[0], keys[2], keys[3]], kept: [] });
      expect(asked).toEqual(["SELECT", "WATCH", "MULTI", "UNLINK", "EXEC"]);
    });
    expect(await redis.client.call("DBSIZE")).toBe(1);
  });

  test("lets go of what it watches when all are claimed", async () => {
    await redis.client.call("SET", K, "old");
    const owned = ownedOf("k");
    owned.claim(0, Slice.from(K));
    await withDeleter(owned, {}, async (deleter, asked) => {
      expect(await deleter.delete(0, [K])).toEqual({ deleted: 0, unlinked: [], kept: [] });
      expect(asked).toEqual(["SELECT", "WATCH", "UNWATCH"]);
    });
    expect(await redis.client.call("EXISTS", K)).toBe(1);
  });

  test("works in the database that it is told", async () => {
    await redis.client.call("SELECT", 5);
    await redis.client.call("SET", K, "other");
    await redis.client.call("SELECT", 0);
    await redis.client.call("SET", K, "old");
    const owned = { isUnclaimed: () => true };
    await withDeleter(owned, {}, async (deleter) => {
      expect(await deleter.delete(5, [K])).toMatchObject({ deleted: 1 });
      expect(await redis.client.call("EXISTS", K)).toBe(1);
      expect(await deleter.delete(0, [K])).toMatchObject({ deleted: 1 });
    });
  });
});

describe("other clients", () => {
  const touch = (key: string) => async (): Promise<void> => void (await redis.client.call("APPEND", key, "x"));

  test("one that touches a key of a batch breaks it; halves are tried again, and all are gone in the end", async () => {
    const names = Array.from({ length: 8 }, (_, i) => `k${i}`);
    for (const key of names) await redis.client.call("SET", key, "old");
    const keys = names.map((key) => Buffer.from(key));
    await withDeleter(ownedOf(...names), { beforeExec: touch("k3") }, async (deleter, asked) => {
      expect(await deleter.delete(0, keys)).toMatchObject({ deleted: 8, kept: [] });
      expect(asked.filter((name) => name === "EXEC")).toHaveLength(3);
    });
    expect(await redis.client.call("DBSIZE")).toBe(0);
  });

  test("a key that is touched whenever it is tried is kept and named; the others of its batch are gone", async () => {
    for (const key of ["a", "b", "hot"]) await redis.client.call("SET", key, "old");
    const keys = ["a", "b", "hot"].map((key) => Buffer.from(key));
    const owned = ownedOf("a", "b", "hot");
    await withDeleter(owned, { beforeExec: touch("hot"), every: true }, async (deleter) => {
      expect(await deleter.delete(0, keys)).toMatchObject({ deleted: 2, kept: [Buffer.from("hot")] });
    });
    expect(await redis.client.call("KEYS", "*")).toEqual([Buffer.from("hot")]);
  });

  test("a deadline that passes while the key is watched does no harm", async () => {
    await redis.client.call("SET", K, "old");
    const expire = async (): Promise<void> => void (await redis.client.call("PEXPIREAT", K, 1));
    await withDeleter(ownedOf("k"), { beforeWatch: expire }, async (deleter) => {
      expect(await deleter.delete(0, [K])).toMatchObject({ deleted: 0, kept: [] });
    });
  });
});

test("a user who may not delete hears which right is missing", async () => {
  await redis.client.call("SET", K, "old");
  await redis.client.call("ACL", "SETUSER", "default", "-unlink");
  try {
    await withDeleter(ownedOf("k"), {}, async (deleter) => {
      await expect(deleter.delete(0, [K])).rejects.toMatchObject({
        code: "AUTH_FAILED",
        context: { request: "UNLINK" },
      });
    });
  } finally {
    await redis.client.call("ACL", "SETUSER", "default", "+unlink");
  }
  expect(await redis.client.call("EXISTS", K)).toBe(1);
});
