/** The command line of the benchmarks. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

export const SECTIONS = [
  "decode",
  "translate",
  "journal",
  "strings",
  "hashes",
  "zsets",
  "memory",
  "generator",
] as const;
export type Section = (typeof SECTIONS)[number];

export type BenchOptions = {
  /** Strings; hashes are a quarter of it, zsets a sixteenth, since one of them is more work. */
  readonly keys: number;
  readonly rounds: number;
  readonly flows: number;
  /** undefined: as the tool chooses. */
  readonly workers: number | undefined;
  readonly sections: readonly Section[];
  readonly json: boolean;
};

const DEFAULT_KEYS = 2_000_000;
const DEFAULT_ROUNDS = 5;

export const USAGE = `Usage: npm run bench -- [options]

  --keys <n>       strings to copy; a quarter as many hashes, a sixteenth as many zsets (default ${DEFAULT_KEYS})
  --size <n>x      that many times the keys
  --rounds <n>     runs of each side; medians are printed (default ${DEFAULT_ROUNDS})
  --flows <n>      flows of the source (default: one per core, two at least)
  --workers <n>    workers of df2redis (default: as df2redis chooses)
  --only <list>    some of ${SECTIONS.join(",")}
  --json           the results as JSON on standard output
`;

/** Throws with words for the user. */
export function parseOptions(argv: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      keys: { type: "string" },
      size: { type: "string" },
      rounds: { type: "string" },
      flows: { type: "string" },
      workers: { type: "string" },
      only: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const size = positive("--size", values.size?.replace(/x$/, "")) ?? 1;
  return {
    keys: size * (positive("--keys", values.keys) ?? DEFAULT_KEYS),
    rounds: positive("--rounds", values.rounds) ?? DEFAULT_ROUNDS,
    flows: positive("--flows", values.flows) ?? Math.max(2, availableParallelism()),
    workers: positive("--workers", values.workers),
    sections: values.only === undefined ? SECTIONS : values.only.split(",").map(section),
    json: values.json,
  };
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new Error(`${name}: ${text} is no positive whole number`);
  return Number(text);
}

function section(name: string): Section {
  const found = SECTIONS.find((known) => known === name);
  if (found === undefined) throw new Error(`--only: ${name} is none of ${SECTIONS.join(", ")}`);
  return found;
}
