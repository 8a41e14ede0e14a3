/** Ops of journal entries (docs/protocol.md §5; Dragonfly src/server/journal/types.h, and older releases for 9, 11, 12, 14). */
export const OP_SELECT = 6;
export const OP_EXPIRED = 9;
export const OP_COMMAND = 10;
export const OP_MULTI_COMMAND = 11;
export const OP_EXEC = 12;
export const OP_PING = 13;
export const OP_FIN = 14;
export const OP_LSN = 15;
