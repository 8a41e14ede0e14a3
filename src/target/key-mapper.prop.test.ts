import fc from "fast-check";
import { expect, test } from "vitest";
import { journalCommand } from "../../test/support/journal-translation.ts";
import { Slice } from "../bytes/slice.ts";
import type { DatabaseRule } from "../config/database-pairs.ts";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import { DatabaseMap, databaseMap } from "./database-map.ts";
import { KeyMapper } from "./key-mapper.ts";
import { COMMAND_KEYS, commandKeys, forEachSortPattern } from "./translate/command-keys.ts";

const PREFIXES = ["", "a", "ab:", "a:", "{db}:", "\u00fc"];

const rule: fc.Arbitrary<DatabaseRule> = fc.record({
  source: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
  target: fc.integer({ min: 0, max: 3 }),
  prefix: fc.constantFrom(...PREFIXES),
});

const rules = fc.uniqueArray(rule, { maxLength: 5, selector: ({ source }) => source ?? -1 });

const SPECIAL_WORDS = [
  "1",
  "2",
  "3",
  "99999999999",
  "-1",
  "STORE",
  "STOREDIST",
  "BY",
  "GET",
  "LIMIT",
  "w_*",
  "#",
  "DB",
  "",
];
const word = fc.oneof(
  fc.constantFrom(...SPECIAL_WORDS).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
);

/** All arguments in one buffer, as the decoder has them. */
function entryOf(words: readonly Buffer[], db: number) {
  const bytes = Buffer.concat(words);
  const command = journalCommand([], { db });
  let at = 0;
  for (const { length } of words) command.args.push(new Slice().set(bytes, at, (at += length)));
  command.argc = words.length;
  return { command, bytes };
}

/** KEY_CONFLICT for a single entry on its own can only be a reserved name. */
function isReserved(map: DatabaseMap, thrown: unknown): boolean {
  if (!(thrown instanceof Df2RedisError) || thrown.code !== "KEY_CONFLICT") throw thrown;
  return map.place(Number(thrown.context["db"])).reserved.length > 0;
}

test("keys get the prefix, other words stay, the decoder's bytes are not touched", () => {
  const names = COMMAND_KEYS.map(([name]) => name).filter((name) => name !== "MOVE" && !name.startsWith("FLUSH"));
  let ran = 0;
  fc.assert(
    fc.property(
      rules,
      fc.integer({ min: 0, max: 5 }),
      fc.constantFrom(...names),
      fc.array(word, { maxLength: 9 }),
      (given, db, name, words) => {
        const map = databaseMap(given);
        if (map === undefined) return;
        const mapper = new KeyMapper({ map, guardLimitBytes: 1 << 20 });
        const { command, bytes } = entryOf([Buffer.from(name), ...words], db);
        const before = Buffer.from(bytes);
        const { prefix, db: targetDb } = map.place(db);
        const prefixed = new Set<number>();
        commandKeys(command)?.forEach(command, (index) => void prefixed.add(index));
        if (name === "SORT" && prefix.length > 0) forEachSortPattern(command, (index) => void prefixed.add(index));
        try {
          if (mapper.map(command) === "unrunnable") {
            expect(name).toMatch(/^(?:SORT|COPY)$/);
            return;
          }
        } catch (thrown) {
          expect(isReserved(map, thrown)).toBe(true);
          return;
        }
        ran++;
        const own = mapper.command;
        expect([own.db, own.argc, command.db]).toEqual([targetDb, command.argc, db]);
        for (let i = 0; i < own.argc; i++) {
          const original = command.arg(i).toBuffer();
          expect(own.arg(i).toBuffer()).toEqual(prefixed.has(i) ? Buffer.concat([prefix, original]) : original);
        }
        expect(bytes).toEqual(before);
      },
    ),
    { numRuns: 3000 },
  );
  expect(ran).toBeGreaterThan(1000);
});

type Step = {
  readonly kind: "set" | "del" | "rename" | "object";
  readonly db: number;
  readonly key: string;
  readonly to: string;
};

const key = fc.constantFrom("", "k", "a", "ab:", "ab:k", "a:k", "1:k", "\u00fc");
/** Four databases of the source in two of the target: collisions are the rule. */
const crowded = fc.tuple(...[0, 1, 2, 3].map((source) => placeOf(source)));

function placeOf(source: number): fc.Arbitrary<DatabaseRule> {
  return fc.record({
    source: fc.constant(source),
    target: fc.integer({ min: 0, max: 1 }),
    prefix: fc.constantFrom(...PREFIXES),
  });
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("set", "del", "rename", "object"),
  db: fc.integer({ min: 0, max: 3 }),
  key,
  to: key,
});

/** The source, and the target with the source's key that each of its keys stands for. */
class Model {
  readonly source = new Set<string>();
  readonly target = new Map<string, string>();
  readonly #map: DatabaseMap;
  readonly #mapper: KeyMapper;

  constructor(map: DatabaseMap) {
    this.#map = map;
    this.#mapper = new KeyMapper({ map, guardLimitBytes: 1 << 20 });
  }

  /** False when it was refused. */
  run({ kind, db, key: name, to }: Step): boolean {
    const has = this.source.has(`${db} ${name}`);
    // The source journals only what had an effect.
    if ((kind === "del" || kind === "rename") && (!has || name === to)) return true;
    try {
      this.#apply(kind, db, name, to);
    } catch (thrown) {
      if (!(thrown instanceof Df2RedisError) || thrown.code !== "KEY_CONFLICT") throw thrown;
      const written = kind === "rename" ? to : name;
      expect(this.#collides(db, name) || this.#collides(db, written)).toBe(true);
      return false;
    }
    return true;
  }

  #apply(kind: Step["kind"], db: number, name: string, to: string): void {
    if (kind === "object") {
      const object = { type: 0, db, key: Slice.from(name), expireAtMs: -1, sticky: false, mcFlags: -1 };
      const mapped = this.#mapper.header(object);
      return this.#put(`${mapped.db} ${mapped.key.toText()}`, db, name);
    }
    const line = { set: ["SET", name, "v"], del: ["DEL", name], rename: ["RENAME", name, to] }[kind];
    expect(this.#mapper.map(journalCommand(line, { db }))).toBe("run");
    const { command } = this.#mapper;
    const at = (index: number) => `${command.db} ${command.arg(index).toText()}`;
    if (kind === "set") return this.#put(at(1), db, name);
    expect(this.target.get(at(1))).toBe(`${db} ${name}`);
    this.target.delete(at(1));
    this.source.delete(`${db} ${name}`);
    if (kind === "rename") this.#put(at(2), db, to);
  }

  #put(place: string, db: number, name: string): void {
    expect(this.target.get(place) ?? `${db} ${name}`).toBe(`${db} ${name}`);
    this.target.set(place, `${db} ${name}`);
    this.source.add(`${db} ${name}`);
  }

  /** Whether the name is held by another database of the same place, or reserved for one with a longer prefix. */
  #collides(db: number, name: string): boolean {
    const { sources, reserved } = this.#map.place(db);
    if (reserved.some(({ start }) => Buffer.from(name).subarray(0, start.length).equals(start))) return true;
    return sources.some((other) => other !== db && this.source.has(`${other} ${name}`));
  }
}

test("no key of the target ever stands for two of the source, and only true collisions are refused", () => {
  let refused = 0;
  let passed = 0;
  fc.assert(
    fc.property(crowded, fc.array(step, { minLength: 1, maxLength: 30, size: "max" }), (given, steps) => {
      const map = new DatabaseMap(given);
      const model = new Model(map);
      for (const one of steps) {
        // A refusal ends a run.
        if (!model.run(one)) {
          refused++;
          return;
        }
      }
      passed++;
      expect(model.target.size).toBe(model.source.size);
      for (const [place, name] of model.target) {
        const [db = "", ...rest] = place.split(" ");
        const back = map.sourceOf(Number(db), Buffer.from(rest.join(" ")));
        expect(back?.databases).toContain(Number(name.split(" ")[0]));
        expect(back?.key.toString()).toBe(name.slice(name.indexOf(" ") + 1));
      }
    }),
    { numRuns: 1500 },
  );
  expect([refused > 100, passed > 100]).toEqual([true, true]);
});
