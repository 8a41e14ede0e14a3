/** A decoded reply, for control conversations. The data path counts replies instead of decoding them (`ReplyCounter`). */
export type Reply =
  | { readonly type: "simple"; readonly text: string }
  | { readonly type: "error"; readonly message: string }
  | { readonly type: "integer"; readonly value: number }
  /** An integer that a number cannot hold exactly. */
  | { readonly type: "bigint"; readonly value: bigint }
  | { readonly type: "double"; readonly value: number }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "bulk"; readonly bytes: Buffer }
  | { readonly type: "null" }
  /** Arrays; RESP3 sets and pushes too, and maps as key, value, key, value … */
  | { readonly type: "array"; readonly items: readonly Reply[] };

/** The text of a scalar; undefined for null, arrays and errors. */
export function replyText(reply: Reply | undefined): string | undefined {
  switch (reply?.type) {
    case "simple":
      return reply.text;
    case "bulk":
      return reply.bytes.toString();
    case "integer":
    case "bigint":
    case "double":
    case "boolean":
      return String(reply.value);
    default:
      return undefined;
  }
}

/** An integer, also one that came as text; undefined for anything else. */
export function replyInteger(reply: Reply | undefined): number | undefined {
  if (reply?.type === "integer") return reply.value;
  if (reply?.type !== "simple" && reply?.type !== "bulk") return undefined;
  const text = replyText(reply) ?? "";
  const value = Number(text);
  return /^-?\d{1,16}$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

/** The elements of an array; undefined for anything else. */
export function replyItems(reply: Reply | undefined): readonly Reply[] | undefined {
  return reply?.type === "array" ? reply.items : undefined;
}

/** What a reply was, for an error message: its kind and, for short texts, its words. */
export function describeReply(reply: Reply): string {
  if (reply.type === "error") return `the error "${reply.message}"`;
  if (reply.type === "array") return `an array of ${reply.items.length}`;
  const text = replyText(reply);
  if (text === undefined) return "null";
  return text.length > 80 ? `${text.length} characters that begin with "${text.slice(0, 40)}"` : `"${text}"`;
}
