/**
 * The table of what arrives how: `docs/reference/fidelity.json`, kept by the fidelity suite, shown by `docs/reference/fidelity.md`. A cell is written by
 * a test that has just seen it on that server; a server that is not there keeps its cells from the last time that it was.
 */
import { readFileSync, writeFileSync } from "node:fs";

export type Cells = Readonly<Record<string, string>>;

export type FidelityTable = {
  /** `redis-7.0` and its like, in the order of columns. */
  readonly servers: readonly string[];
  /** By row, then by server. */
  readonly types: Readonly<Record<string, Cells>>;
  readonly commands: Readonly<Record<string, Cells>>;
};

export const TABLE_FILE = new URL("../../docs/reference/fidelity.json", import.meta.url);

/** Set: the suite writes what it sees instead of comparing. */
export const UPDATE_VARIABLE = "DF2REDIS_TEST_UPDATE_FIDELITY";

const EMPTY: FidelityTable = { servers: [], types: {}, commands: {} };

export function readTable(): FidelityTable {
  try {
    return JSON.parse(readFileSync(TABLE_FILE, "utf8")) as FidelityTable;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return EMPTY;
    throw thrown;
  }
}

/** The table with one part's cells of one server replaced. */
export function withCells(
  table: FidelityTable,
  part: "types" | "commands",
  server: string,
  cells: Cells,
): FidelityTable {
  const rows: Record<string, Cells> = {};
  for (const name of new Set([...Object.keys(table[part]), ...Object.keys(cells)])) {
    const { [server]: _old, ...others } = table[part][name] ?? {};
    const cell = cells[name];
    const row = cell === undefined ? others : { ...others, [server]: cell };
    // A row that no server has any more is gone.
    if (Object.keys(row).length > 0) rows[name] = row;
  }
  const servers = [...new Set([...table.servers, server])].toSorted(compareServers);
  return { ...table, servers, [part]: rows };
}

export function writeTable(table: FidelityTable): void {
  writeFileSync(TABLE_FILE, `${JSON.stringify(table, undefined, 2)}\n`);
}

/** Redis before Valkey, old before new. */
function compareServers(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
