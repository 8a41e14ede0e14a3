/**
 * Search indices on a target with a search module. Dragonfly sends a definition as the words of an FT.CREATE with a space between them
 * (src/server/search/doc_index.cc BuildRestoreCommand, src/server/rdb_save.cc CollectSearchIndices), and journals FT commands as clients wrote
 * them. Pure.
 */
import { Slice } from "../../bytes/slice.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import { beginScript } from "./journal-scripts.ts";

/** A repeated sync brings a definition again, perhaps a changed one. The documents stay. */
const CREATE = Buffer.from("redis.pcall('FT.DROPINDEX',ARGV[1]) return redis.call('FT.CREATE',unpack(ARGV))");

/**
 * @param words of an FT.CREATE, the index's name first
 * @param hasScripts whether the target allows EVAL; without it an index of that name must not be there
 */
export function encodeCreateIndex(encoder: CommandEncoder, words: readonly Slice[], hasScripts: boolean): void {
  const kept = withoutDragonflyWords(words);
  if (hasScripts) beginScript(encoder, CREATE, 0, kept.length);
  else {
    encoder.begin(1 + kept.length);
    encoder.argText("FT.CREATE");
  }
  for (const each of kept) encoder.arg(each);
}

/** The words of a definition, or undefined when a space within one of them (a separator, a prefix) makes them ambiguous. */
export function definitionWords(text: Slice): Slice[] | undefined {
  const words: Slice[] = [];
  const { buf, end } = text;
  for (let at = text.start; at <= end;) {
    const space = buf.indexOf(0x20, at);
    const wordEnd = space === -1 || space > end ? end : space;
    if (wordEnd === at) return undefined;
    words.push(new Slice().set(buf, at, wordEnd));
    at = wordEnd + 1;
  }
  separatorFirst(words);
  return hasDeclaredCounts(words) ? words : undefined;
}

/** Masters before 2026 write `TAG SORTABLE SEPARATOR x`; the separator belongs to the type and comes first (Dragonfly src/server/rdb_load_context.cc). */
function separatorFirst(words: Slice[]): void {
  for (let at = words.length - 3; at > 0; at--) {
    if (isWord(words[at], "SORTABLE") && isWord(words[at + 1], "SEPARATOR"))
      words.splice(at + 2, 0, ...words.splice(at, 1));
  }
}

/** `PREFIX n …` and `STOPWORDS n …` are followed by a word that the grammar knows; a prefix with a space in it breaks that. */
function hasDeclaredCounts(words: readonly Slice[]): boolean {
  for (let at = 1; at < words.length && !isWord(words[at], "SCHEMA"); at++) {
    if (!isWord(words[at], "PREFIX") && !isWord(words[at], "STOPWORDS")) continue;
    const count = Number(words[at + 1]?.toLatin1());
    if (!(count >= 0)) return false;
    at += 1 + count;
    const next = words[at + 1];
    if (!CLAUSES.some((clause) => isWord(next, clause))) return false;
  }
  return true;
}

const CLAUSES = ["PREFIX", "STOPWORDS", "NOOFFSETS", "LANGUAGE", "LANGUAGE_FIELD", "SCHEMA"];

/** `NX` and `CSS` behind the name are for Dragonfly's own use, `BLOCKSIZE n` of a number is its own. */
function withoutDragonflyWords(words: readonly Slice[]): readonly Slice[] {
  const kept: Slice[] = [];
  let inSchema = false;
  for (let at = 0; at < words.length; at++) {
    const each = words[at];
    if (each === undefined) break;
    inSchema ||= isWord(each, "SCHEMA");
    if ((at === 1 || at === 2) && !inSchema && (isWord(each, "NX") || isWord(each, "CSS"))) continue;
    if (inSchema && isWord(each, "BLOCKSIZE") && isWord(words[at - 1], "NUMERIC")) at++;
    else kept.push(each);
  }
  return kept;
}

function isWord(slice: Slice | undefined, upper: string): boolean {
  return slice !== undefined && slice.equalsIgnoreCase(upper);
}
