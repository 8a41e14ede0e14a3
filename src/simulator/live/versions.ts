/** What differs between the releases that were recorded, by the version that INFO SERVER shows ("df-v1.40.1"). */

/** 1.27 and its like, of which there are recordings, differ from 1.40 in some replies. */
export function isOldVersion(dragonflyVersion: string): boolean {
  return isBefore(dragonflyVersion, 30);
}

/** A whole document took over the deadline of what it replaced (Dragonfly src/server/json_family.cc SetFullJson, changed in 1.33). */
export function keepsDocumentDeadlines(dragonflyVersion: string): boolean {
  return isBefore(dragonflyVersion, 33);
}

function isBefore(dragonflyVersion: string, firstMinor: number): boolean {
  const [, major = "1", minor = "40"] = /v?(\d+)\.(\d+)/.exec(dragonflyVersion) ?? [];
  return Number(major) === 1 && Number(minor) < firstMinor;
}
