/**
 * Which Node this program runs on. Must parse and run on very old Nodes too: no import, no syntax newer than ES2018.
 * The range stands in package.json ("engines") and in scripts/bootstrap.sh as well; a test compares the three.
 */
export const NODE_RANGE = "^22.18 || ^24.11 || >=26";

/** @param version like process.versions.node: "22.18.0" */
export function isNodeSupported(version: string): boolean {
  const parts = version.split(".");
  const major = Number(parts[0]);
  const minor = Number(parts[1]);
  return major >= 26 || (major === 24 && minor >= 11) || (major === 22 && minor >= 18);
}

export function nodeComplaint(version: string): string {
  return (
    "df2redis needs Node " +
    NODE_RANGE +
    "; this is Node " +
    version +
    ". " +
    "Install Node 24, or start ./df2redis in a checkout, which brings its own."
  );
}
