/** Random values as the live simulator holds them, small and odd: what stands at the borders of encodings comes often. */
import fc from "fast-check";
import type {
  HashValue,
  ListValue,
  SetValue,
  StreamEntry,
  StreamGroup,
  StreamValue,
  StringValue,
  Value,
  ZsetValue,
} from "../../src/simulator/live/values.ts";

const HOUR_MS = 3_600_000;
const INT64_MAX = 2n ** 63n - 1n;

const integerText: fc.Arbitrary<string> = fc
  .oneof(
    fc.constantFrom(0n, -1n, 12n, 13n, 127n, 128n, -128n, -129n, 4095n, -4096n, 32_767n, -32_769n, 8_388_607n),
    fc.constantFrom(2n ** 31n - 1n, -(2n ** 31n) - 1n, 2n ** 53n, INT64_MAX, -INT64_MAX - 1n),
    fc.bigInt({ min: -INT64_MAX - 1n, max: INT64_MAX }),
    fc.bigInt({ min: -300n, max: 300n }),
  )
  .map(String);

const plainText: fc.Arbitrary<Buffer> = fc
  .oneof(
    integerText,
    fc.constantFrom("", "-0", "007", "+1", "9223372036854775808", "1e5", "inf", "nan", " 1", "\r\n"),
    fc.string({ maxLength: 12 }),
    fc.tuple(fc.integer({ min: 20, max: 3000 }), fc.constantFrom("a", "ab ", "\0")).map(([n, s]) => s.repeat(n)),
  )
  .map((text) => Buffer.from(text));

/** Any bytes. */
export const bytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 3, arbitrary: plainText },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array)) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 60, maxLength: 300 }).map((array) => Buffer.from(array)) },
);

const byText = (text: Buffer): string => text.toString("latin1");

/** Mostly few, now and then so many that the small encodings end. */
function distinct(element: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer[]> {
  const few = fc.uniqueArray(element, { minLength: 1, maxLength: 12, selector: byText });
  const many = fc
    .tuple(few, fc.integer({ min: 100, max: 700 }))
    .map(([some, count]) => [...some, ...Array.from({ length: count }, (_, i) => Buffer.from(`more ${i}`))]);
  return fc.oneof({ weight: 6, arbitrary: few }, { weight: 1, arbitrary: many });
}

const string: fc.Arbitrary<StringValue> = fc
  .oneof(
    bytes,
    fc.integer({ min: 1, max: 70_000 }).map((size) => Buffer.alloc(size, "repetition ")),
  )
  .map((content) => ({ type: "string", bytes: content }));

const list: fc.Arbitrary<ListValue> = fc
  .oneof(
    fc.array(bytes, { minLength: 1, maxLength: 12 }),
    distinct(bytes),
    fc
      .tuple(fc.array(bytes, { maxLength: 3 }), fc.integer({ min: 7000, max: 9000 }))
      .map(([some, size]) => [...some, Buffer.alloc(size, "long"), ...some]),
  )
  .map((items) => ({ type: "list", items }));

const memberDeadline: fc.Arbitrary<number> = fc.integer({ min: 25, max: 20_000 }).map((hours) => hours * HOUR_MS);
/** Of the members of one value: none, or some have one. Hours from now, -1 for none; turned into times by `toEntry`. */
const memberDeadlines: fc.Arbitrary<readonly number[]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant([-1]) },
  { weight: 1, arbitrary: fc.array(fc.oneof(fc.constant(-1), memberDeadline), { minLength: 1, maxLength: 5 }) },
);

const nowMs = Math.floor(Date.now() / 1000) * 1000;

/** The same in all runs of a seed, but for the time at which it runs. */
function deadlineOf(deadlines: readonly number[], i: number): number {
  const left = deadlines[i % deadlines.length] ?? -1;
  return left < 0 ? -1 : nowMs + left;
}

const set: fc.Arbitrary<SetValue> = fc
  .tuple(fc.oneof(distinct(bytes), distinct(integerText.map((text) => Buffer.from(text)))), memberDeadlines)
  .map(([members, deadlines]) => ({
    type: "set",
    members: new Map(members.map((member, i) => [byText(member), { member, expireAtMs: deadlineOf(deadlines, i) }])),
  }));

const hash: fc.Arbitrary<HashValue> = fc
  .tuple(distinct(bytes), fc.array(bytes, { minLength: 1, maxLength: 5 }), memberDeadlines)
  .map(([fields, contents, deadlines]) => ({
    type: "hash",
    fields: new Map(
      fields.map((field, i) => {
        const content = contents[i % contents.length] ?? field;
        return [byText(field), { field, content, expireAtMs: deadlineOf(deadlines, i) }];
      }),
    ),
  }));

const score: fc.Arbitrary<number> = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.constantFrom(Infinity, -Infinity, 0, -0, 5e-324, -5e-324, 2 ** 53 + 2, 1e300, 0.1, 1 / 3, 1.5e-310, 123_456.789),
);

const zset: fc.Arbitrary<ZsetValue> = fc
  .tuple(distinct(bytes), fc.array(score, { minLength: 1, maxLength: 12 }))
  .map(([members, scores]) => ({
    type: "zset",
    members: new Map(members.map((member, i) => [byText(member), { member, score: scores[i % scores.length] ?? 0 }])),
  }));

type GroupSeed = {
  readonly name: Buffer;
  readonly at: number;
  readonly knowsRead: boolean;
  readonly consumers: readonly Buffer[];
  readonly pending: readonly (readonly [entry: number, consumer: number, timeMs: number, count: number])[];
};

const group: fc.Arbitrary<GroupSeed> = fc.record({
  name: bytes,
  at: fc.nat(),
  knowsRead: fc.boolean(),
  consumers: fc.uniqueArray(bytes, { maxLength: 3, selector: byText }),
  pending: fc.array(
    fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 1_700_000_000_000 }), fc.integer({ min: 1, max: 70_000 })),
    { maxLength: 8 },
  ),
});

const stream: fc.Arbitrary<StreamValue> = fc
  .record({
    first: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 45 })),
    steps: fc.oneof(
      { weight: 3, arbitrary: fc.array(fc.tuple(fc.nat(2), fc.nat(70_000)), { minLength: 1, maxLength: 10 }) },
      { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat(1), fc.nat(3)), { minLength: 90, maxLength: 250 }) },
    ),
    names: fc.array(bytes, { minLength: 1, maxLength: 3 }),
    contents: fc.array(bytes, { minLength: 1, maxLength: 7 }),
    deleted: fc.array(fc.nat(), { maxLength: 6 }),
    groups: fc.uniqueArray(group, { maxLength: 3, selector: ({ name }) => byText(name) }),
  })
  .map(({ first, steps, names, contents, deleted, groups }) => {
    const all: StreamEntry[] = [];
    let [ms, seq] = [first, 0];
    for (const [i, [ahead, more]] of steps.entries()) {
      [ms, seq] = ahead > 0 ? [ms + ahead, more] : [ms, seq + 1 + more];
      // Some have one field less, so that they do not share those of their node.
      const own = i % 4 === 3 ? names.slice(0, 1) : names;
      all.push({
        id: { ms, seq },
        fields: own.flatMap((name, n) => [name, contents[(i + n) % contents.length] ?? name]),
      });
    }
    const gone = new Set(deleted.map((at) => at % all.length));
    const maxDeleted = all[Math.max(...gone)]?.id ?? { ms: 0, seq: 0 };
    const value: StreamValue = {
      type: "stream",
      entries: all.filter((_, i) => !gone.has(i)),
      lastId: { ms, seq },
      maxDeletedId: maxDeleted,
      entriesAdded: all.length,
      groups: new Map(groups.map((seed) => [byText(seed.name), makeGroup(seed, all)])),
    };
    return value;
  });

/** A pending entry lies at or before the last one that was delivered, and may be deleted. */
function makeGroup({ name, at, knowsRead, consumers, pending }: GroupSeed, all: readonly StreamEntry[]): StreamGroup {
  const delivered = at % (all.length + 1);
  const last = all[delivered - 1]?.id ?? { ms: 0, seq: 0 };
  const made: StreamGroup = {
    name,
    lastId: last,
    entriesRead: knowsRead ? delivered : -1,
    pending: new Map(),
    consumers: new Map(consumers.map((who) => [byText(who), { name: who, seenTimeMs: 1000, activeTimeMs: 1000 }])),
  };
  for (const [entry, who, deliveryTimeMs, deliveryCount] of pending) {
    const id = delivered === 0 ? undefined : all[entry % delivered]?.id;
    const consumer = consumers[who % Math.max(1, consumers.length)];
    if (id === undefined || consumer === undefined) continue;
    made.pending.set(`${id.ms}-${id.seq}`, { id, consumer: byText(consumer), deliveryTimeMs, deliveryCount });
  }
  return made;
}

export const VALUES: Readonly<Record<"string" | "list" | "set" | "hash" | "zset" | "stream", fc.Arbitrary<Value>>> = {
  string,
  list,
  set,
  hash,
  zset,
  stream,
};

/** Unix ms, -1 for none: soon enough to be held back while a flow catches up, or not. */
export const deadline: fc.Arbitrary<number> = fc.oneof(
  fc.constant(-1),
  fc.integer({ min: HOUR_MS, max: 23 * HOUR_MS }).map((left) => nowMs + left),
  fc.integer({ min: 25 * HOUR_MS, max: 70_000 * HOUR_MS }).map((left) => nowMs + left),
);
