/** What the demo's Dragonfly holds before the copy begins: the keys of a shop, of every type, in three databases. */

export type Command = readonly (string | number)[];

/** Above 64 KiB a Dragonfly sends a value in pieces. */
const CATALOGUE_ITEMS = 4000;
const HOUR_MS = 3_600_000;

function times(count: number, of: (i: number) => Command | readonly Command[]): Command[] {
  return Array.from({ length: count }, (_, i) => of(i)).flatMap((made) => (isCommand(made) ? [made] : made));
}

function isCommand(made: Command | readonly Command[]): made is Command {
  return !Array.isArray(made[0]);
}

export function demoData(nowMs: number): Command[] {
  const products = Array.from({ length: CATALOGUE_ITEMS }, (_, i) => [
    `product ${i}`,
    `{"price": ${i / 100}, "stock": ${i % 50}}`,
  ]);
  return [
    ...times(12_000, (i) => [
      "SET",
      `session:${i}`,
      `{"user": ${i}, "basket": [${i % 7}, ${i % 11}]}`,
      "PXAT",
      nowMs + HOUR_MS + i,
    ]),
    ...times(3000, (i) => [
      "HSET",
      `user:${i}`,
      "name",
      `user ${i}`,
      "email",
      `user${i}@example.com`,
      "visits",
      i % 100,
    ]),
    ...times(1000, (i) => [
      "RPUSH",
      `orders:${i}`,
      ...Array.from({ length: 1 + (i % 9) }, (_, n) => `order ${i}.${n}`),
    ]),
    ...times(500, (i) => ["SADD", `tags:${i}`, "new", `colour ${i % 12}`, `size ${i % 5}`]),
    ...times(200, (i) => [
      "ZADD",
      `ranking:${i}`,
      ...Array.from({ length: 40 }, (_, n) => [(n * 7919 + i) % 1000, `player ${n}`]).flat(),
    ]),
    ["HSET", "catalogue", ...products.flat()],
    ["SET", "page:front", "<p>all our products</p>".repeat(20_000)],
    ...events(),
    ...times(25, (i) => ["JSON.SET", `settings:${i}`, "$", `{"theme": "dark", "rows": ${i}}`]),
    ["SELECT", 1],
    ...times(1500, (i) => ["SET", `cache:${i}`, "x".repeat(i % 500)]),
    ["SELECT", 5],
    ...times(300, (i) => ["INCRBY", `counter:${i}`, i * i]),
    ["SELECT", 0],
  ];
}

/** A stream that two groups read, with messages that nobody has acknowledged yet. */
function events(): Command[] {
  return [
    ...times(400, (i) => ["XADD", "events", `${1000 + i}-0`, "kind", i % 3 === 0 ? "sale" : "visit", "user", i]),
    ["XGROUP", "CREATE", "events", "billing", "0"],
    ["XGROUP", "CREATE", "events", "reports", "$"],
    ["XREADGROUP", "GROUP", "billing", "worker-1", "COUNT", 60, "STREAMS", "events", ">"],
    ["XACK", "events", "billing", ...Array.from({ length: 40 }, (_, i) => `${1000 + i}-0`)],
  ];
}
