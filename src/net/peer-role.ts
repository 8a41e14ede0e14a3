/** Which side of the migration a connection leads to: for messages and error contexts. */
export type PeerRole = "source" | "target";

export const ROLE_WORDS: Record<PeerRole, string> = { source: "source Dragonfly", target: "target Redis" };
