/** What a master does with its documents that depends on its version. Pure. */
import { type JsonDialect, jsonDialectOf } from "./json/json-dialect.ts";

export type DocumentRules = {
  readonly dialect: JsonDialect;
  /** JSON.SET of a whole document keeps the key's deadline: before 1.33 (Dragonfly src/server/json_family.cc SetFullJson). */
  readonly keepsDeadlines: boolean;
};

let lastVersion: string | undefined;
let lastRules: DocumentRules = rulesOf(undefined);

/** @param version as masters tell it (`df-v1.40.1`); the latest when there is none to read. Cheap to ask for each entry. */
export function documentRules(version: string | undefined): DocumentRules {
  if (version !== lastVersion) {
    lastRules = rulesOf(version);
    lastVersion = version;
  }
  return lastRules;
}

function rulesOf(version: string | undefined): DocumentRules {
  const { major, minor } = /(?<major>\d+)\.(?<minor>\d+)/.exec(version ?? "")?.groups ?? {};
  const keepsDeadlines = major !== undefined && Number(major) === 1 && Number(minor) < 33;
  return { dialect: jsonDialectOf(version), keepsDeadlines };
}
