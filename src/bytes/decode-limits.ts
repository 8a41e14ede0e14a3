/** Upper bounds for lengths that come from the wire; each is checked before anything is allocated or waited for. */
export type DecodeLimits = {
  /** One string: a key, a value, a member, an encoded node, a whole journal entry. */
  readonly stringBytes: number;
  /** Content of one compressed blob. */
  readonly blobBytes: number;
  /** Elements of one value, arguments of one journal entry. */
  readonly elements: number;
};

export const DEFAULT_DECODE_LIMITS: DecodeLimits = {
  stringBytes: 512 * 1024 * 1024,
  blobBytes: 256 * 1024 * 1024,
  elements: 0xffff_ffff,
};
