/** Words for a key that the schema does not have. */
import type { ConfigSection } from "./config-fields.ts";
import { nearest } from "./did-you-mean.ts";

/** Keys of the Go tool of the same name that this version does not have. An accepted key that does nothing would be a trap. */
const NOT_YET: Readonly<Record<string, string>> = {
  checkpoint: "checkpoints come with a later version; remove this key",
  dashboard: "the dashboard comes with a later version; remove this key",
  migrate: "nothing needs to be configured for migrate; remove this key",
  statusFile: "the status file comes with a later version; remove this key",
  "source.type": "the kind of server is found out by asking it; remove this key",
  "target.type": "the kind of server is found out by asking it; remove this key",
};

function writtenInstead(section: ConfigSection, key: string): string | undefined {
  for (const [name, node] of section.children) {
    if ("field" in node && node.field.insteadOf?.includes(key) === true) return name;
  }
  return undefined;
}

/** @param showKey false when the key may be a misplaced value: then it is not repeated. */
export function unknownKeyText(section: ConfigSection, path: string, options: { readonly showKey: boolean }): string {
  const notYet = NOT_YET[path];
  if (notYet !== undefined) return `is not supported: ${notYet}`;
  const key = path.slice(path.lastIndexOf(".") + 1);
  const names = [...section.children.keys()];
  const meant = options.showKey ? (writtenInstead(section, key) ?? nearest(key, names)) : undefined;
  const hint = meant === undefined ? "." : `; did you mean "${meant}"?`;
  return `is not a known key${hint} Allowed: ${names.join(", ")}`;
}

/** Whether a key looks like the name of a key and may be repeated in a message. */
export function isShowableKey(key: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_-]{0,39}$/.test(key);
}
