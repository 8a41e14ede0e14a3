/** What differs between the versions of a master in what its JSON commands do. Pure. */
export type JsonDialect = {
  /** Integers below zero come out right. Before 1.38 a result below zero was cast to an unsigned integer: what that gives depends on the processor. */
  readonly signedResults: boolean;
  /** JSON.SET makes new members of any path that names one place. 1.27 and older read paths with brackets in their own way there. */
  readonly createsByAnyPath: boolean;
};

export const LATEST_JSON_DIALECT: JsonDialect = { signedResults: true, createsByAnyPath: true };

/** Of a version as masters tell it: `df-v1.40.1`, `v1.27.4`. The latest where there is none to read. */
export function jsonDialectOf(version: string | undefined): JsonDialect {
  const found = /(?<major>[0-9]+)\.(?<minor>[0-9]+)/.exec(version ?? "")?.groups;
  if (found === undefined) return LATEST_JSON_DIALECT;
  const [major, minor] = [Number(found["major"]), Number(found["minor"])];
  const since = (wanted: number): boolean => major > 1 || (major === 1 && minor >= wanted);
  return { signedResults: since(38), createsByAnyPath: since(28) };
}
