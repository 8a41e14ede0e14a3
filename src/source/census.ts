/**
 * Looks at some keys of the source to learn what it holds: types, deadlines, sizes, and what a plain Redis does not have. Reads a bounded
 * number of keys of each database by SCAN, a page at a time, and waits for each page, so that a busy master is not held up. What SCAN gives
 * first is a fair sample: it goes by the hash of the key. Keys and values are not kept.
 */
import type { Conversation } from "../net/conversation.ts";
import { Inquiry } from "../net/inquiry.ts";
import { type Reply, replyInteger, replyItems, replyText } from "../resp/reply.ts";

/** What of `features.ts` in the target a look at keys can find. */
export type FoundFeature = "json" | "bloom" | "cuckoo" | "cms" | "topk" | "fieldTtl" | "memberTtl";

export type TypeCensus = {
  readonly keys: number;
  /** By MEMORY USAGE, over the `measured` keys. */
  readonly bytes: number;
  readonly measured: number;
  readonly largestBytes: number;
};

export type Census = {
  readonly sampledKeys: number;
  /** Of those, with a deadline. */
  readonly expiringKeys: number;
  /** By the name that TYPE gives. */
  readonly types: ReadonlyMap<string, TypeCensus>;
  readonly features: ReadonlyMap<FoundFeature, number>;
  /** All keys of these databases were looked at: what was not found is not there. */
  readonly isComplete: boolean;
  /** What the source refused, by command. */
  readonly refusals: ReadonlyMap<string, string>;
};

export type CensusOptions = {
  readonly databases: Iterable<number>;
  readonly keysPerDatabase: number;
};

const PAGE_KEYS = 100;

/** Members of a hash or set that are asked for their deadlines. */
const ASKED_MEMBERS = 5;

/** The members of larger values are not read, for a reply holds them whole. */
const MEMBERS_LIMIT_BYTES = 1 << 20;

const FEATURE_TYPES: Readonly<Record<string, FoundFeature>> = {
  "ReJSON-RL": "json",
  "MBbloom--": "bloom",
  MBbloomCF: "cuckoo",
  "CMSk-TYPE": "cms",
  "TopK-TYPE": "topk",
};

type MutableType = { keys: number; bytes: number; measured: number; largestBytes: number };

/** Leaves the conversation in the last of the databases. */
export async function takeCensus(conversation: Conversation, options: CensusOptions): Promise<Census> {
  return await new CensusTaker(conversation).take(options);
}

class CensusTaker {
  readonly #inquiry: Inquiry;
  readonly #types = new Map<string, MutableType>();
  readonly #features = new Map<FoundFeature, number>();
  #sampled = 0;
  #expiring = 0;
  #isComplete = true;

  constructor(conversation: Conversation) {
    this.#inquiry = new Inquiry(conversation);
  }

  async take({ databases, keysPerDatabase }: CensusOptions): Promise<Census> {
    for (const db of databases) {
      const isThrough =
        (await this.#inquiry.ask("SELECT", String(db))) !== undefined && (await this.#database(keysPerDatabase));
      if (!isThrough) this.#isComplete = false;
    }
    return {
      sampledKeys: this.#sampled,
      expiringKeys: this.#expiring,
      types: this.#types,
      features: this.#features,
      isComplete: this.#isComplete,
      refusals: this.#inquiry.refusals,
    };
  }

  /** @returns whether that was all of it */
  async #database(limit: number): Promise<boolean> {
    let cursor = "0";
    let left = limit;
    while (left > 0) {
      const page = replyItems(await this.#inquiry.ask("SCAN", cursor, "COUNT", String(PAGE_KEYS)));
      const keys = (replyItems(page?.[1]) ?? []).flatMap((item) => (item.type === "bulk" ? [item.bytes] : []));
      cursor = replyText(page?.[0]) ?? "";
      const looked = keys.slice(0, left);
      await this.#page(looked);
      left -= looked.length;
      if (cursor === "0" && looked.length === keys.length) return true;
      if (page === undefined || !/^[1-9]\d*$/.test(cursor)) return false;
    }
    return false;
  }

  /** All questions about a page go out together: a page costs few round trips. */
  async #page(keys: readonly Buffer[]): Promise<void> {
    const looks = await Promise.all(keys.map((key) => this.#look(key)));
    const holders = looks.filter((look): look is Look => look !== undefined && /^(?:hash|set)$/.test(look.type));
    await Promise.all(holders.map((look) => this.#members(look)));
  }

  async #look(key: Buffer): Promise<Look | undefined> {
    const [type, ttl, usage] = await Promise.all([
      this.#inquiry.ask("TYPE", key),
      this.#inquiry.ask("PTTL", key),
      this.#inquiry.ask("MEMORY", "USAGE", key),
    ]);
    const name = replyText(type);
    // Gone between SCAN and here.
    if (name === undefined || name === "none") return undefined;
    const bytes = replyInteger(usage);
    this.#count(name, bytes);
    if ((replyInteger(ttl) ?? -1) >= 0) this.#expiring++;
    return { key, type: name, bytes };
  }

  #count(type: string, bytes: number | undefined): void {
    this.#sampled++;
    const counts = this.#types.get(type) ?? { keys: 0, bytes: 0, measured: 0, largestBytes: 0 };
    this.#types.set(type, counts);
    counts.keys++;
    const feature = FEATURE_TYPES[type];
    if (feature !== undefined) this.#found(feature);
    if (bytes === undefined) return;
    counts.measured++;
    counts.bytes += bytes;
    counts.largestBytes = Math.max(counts.largestBytes, bytes);
  }

  /** FIELDTTL is Dragonfly's own: seconds that a member of a set or a field of a hash has left, -1 for no deadline. */
  async #members({ key, type, bytes }: Look): Promise<void> {
    if (bytes === undefined || bytes > MEMBERS_LIMIT_BYTES) return;
    const scan = type === "hash" ? "HSCAN" : "SSCAN";
    const page = replyItems(await this.#inquiry.ask(scan, key, "0", "COUNT", String(ASKED_MEMBERS)));
    const members = memberNames(replyItems(page?.[1]) ?? [], type === "hash" ? 2 : 1).slice(0, ASKED_MEMBERS);
    const ttls = await Promise.all(members.map((member) => this.#inquiry.ask("FIELDTTL", key, member)));
    if (ttls.some((ttl) => (replyInteger(ttl) ?? -1) >= 0)) this.#found(type === "hash" ? "fieldTtl" : "memberTtl");
  }

  #found(feature: FoundFeature): void {
    this.#features.set(feature, (this.#features.get(feature) ?? 0) + 1);
  }
}

type Look = { readonly key: Buffer; readonly type: string; readonly bytes: number | undefined };

/** @param stride 2 where values stand between the names */
function memberNames(items: readonly Reply[], stride: 1 | 2): Buffer[] {
  return items.flatMap((item, i) => (i % stride === 0 && item.type === "bulk" ? [item.bytes] : []));
}
