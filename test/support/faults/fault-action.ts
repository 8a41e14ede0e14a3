/** What a fault proxy can do to a connection, as plain data: for scripts, for random schedules, and for messages about them. */
export type Direction = "toTarget" | "toClient";

export const DIRECTIONS: readonly Direction[] = ["toTarget", "toClient"];

/** Who opened the connection, and whom the proxy opened it to. */
export type Side = "client" | "target";

/** `fin`: an orderly end behind what was delivered. `rst`: a reset, seen as ECONNRESET. */
export type CutKind = "fin" | "rst";

/** Without a direction, both. With `forMs` the fault ends by itself. */
type Shaping = { readonly direction?: Direction; readonly forMs?: number };

export type FaultAction =
  | { readonly do: "cut"; readonly how?: CutKind }
  | { readonly do: "halfOpen"; readonly gone: Side; readonly how?: CutKind }
  | ({ readonly do: "stall" } & Shaping)
  | ({ readonly do: "delay"; readonly ms: number } & Shaping)
  | ({ readonly do: "throttle"; readonly bytesPerSecond: number } & Shaping)
  | ({ readonly do: "split"; readonly pieceBytes?: number } & Shaping)
  /** Of the next byte that goes in `direction`. */
  | { readonly do: "corrupt"; readonly direction: Direction; readonly xor?: number }
  /** From then on no new connection gets through. */
  | { readonly do: "refuse" }
  | { readonly do: "heal" }
  /** Anything else: a signal to a process, for example. */
  | { readonly do: "run"; readonly what: string; readonly run: () => void };

/** The faults of one connection, or of all that are open and all that will be opened. */
export type FaultControls = {
  cut(how?: CutKind): void;
  /** `gone` is cut off; the other side is not told, and nothing it sends is taken any more. */
  halfOpen(gone: Side, how?: CutKind): void;
  /** Forwards nothing, ends of the connection included, and keeps the sockets open. */
  stall(direction?: Direction): void;
  /** Ends a stall. */
  unstall(direction?: Direction): void;
  /** Each byte leaves that much later than it came. 0 ends it. */
  delay(ms: number, direction?: Direction): void;
  /** `Infinity` ends it. */
  throttle(bytesPerSecond: number, direction?: Direction): void;
  /** Forwards in pieces of that size, one a turn of the event loop. `Infinity` ends it. */
  split(pieceBytes?: number, direction?: Direction): void;
  /** Ends stall, delay, throttle and split. What was cut stays cut. */
  heal(): void;
};

export function describeAction(action: FaultAction): string {
  const { do: name, ...facts } = action;
  const words = Object.entries(facts)
    .filter(([, value]) => typeof value !== "function")
    .map(([key, value]) => `${key}=${String(value)}`);
  return [name, ...words].join(" ");
}
