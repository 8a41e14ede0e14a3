/** A client's bytes that are no request. The connection answers it and closes. */
export class ProtocolError extends Error {}
