/**
 * Thrown by a cursor when bytes have yet to arrive: control flow, not an error. It is one frozen object without a stack, since it is
 * thrown once per chunk of input; the cursor keeps how many bytes it waits for.
 */
export const NEEDS_MORE: unique symbol = Symbol("needs more bytes");
