/** RFC 7386 merge patch, in place. Bounded by the depth of the patch. Pure. */
import { copyContent, type JsonCell, type JsonContent } from "./json-tree.ts";

export function mergeJson(target: JsonCell, patch: JsonContent): void {
  if (!(patch instanceof Map)) {
    target.content = copyContent(patch);
    return;
  }
  const members = target.content instanceof Map ? target.content : new Map<string, JsonCell>();
  target.content = members;
  for (const [name, { content }] of patch) {
    if (content === null) {
      members.delete(name);
      continue;
    }
    const cell = members.get(name) ?? { content: new Map<string, JsonCell>() };
    mergeJson(cell, content);
    members.set(name, cell);
  }
}
