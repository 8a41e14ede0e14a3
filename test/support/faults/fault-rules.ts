/**
 * Scripted faults: which connection, where in its bytes, what to do. A `RuleBook` holds the rules of a proxy and how often each has run; a
 * `ConnectionRules` follows one connection. A place in a stream is exact: everything before it has been forwarded, and nothing behind it.
 */
import { describeAction, type Direction, type FaultAction } from "./fault-action.ts";
import type { FaultConnection } from "./fault-connection.ts";
import { type BytePattern, PatternSearch } from "./pattern-search.ts";

/** Picks connections by what the client says first. */
export type ConnectionSelector = {
  readonly name: string;
  /** @param head the client's first bytes, one character each; asked again as it grows */
  readonly matches: (head: string) => boolean;
  /** Only the n-th of those that match, from 0. */
  readonly nth?: number;
};

export type RulePlace =
  | { readonly direction: Direction; readonly offset: number }
  /** Behind the first match, and `plus` bytes more. */
  | { readonly direction: Direction; readonly after: BytePattern; readonly plus?: number }
  /** When another rule of that name has run, or the test calls `emit`. */
  | { readonly event: string };

export type FaultRule = {
  /** Told as an event when the rule runs. */
  readonly name?: string;
  /** The n-th that the proxy accepted, or those that the client's first bytes tell. */
  readonly connection: number | "every" | ConnectionSelector;
  readonly at: RulePlace;
  readonly action: FaultAction;
  /** How often in all; once a connection at most. By default once, for "every" without an end. */
  readonly times?: number;
};

/** As many of the client's first bytes are shown to selectors. */
const HEAD_BYTES = 4096;

export function describeRule({ name, connection, at, action }: FaultRule): string {
  const which =
    typeof connection === "object"
      ? `${connection.name}${connection.nth === undefined ? "" : ` #${connection.nth}`}`
      : `connection ${connection}`;
  return `${name === undefined ? "" : `${name}: `}${which}, ${describePlace(at)}: ${describeAction(action)}`;
}

function describePlace(at: RulePlace): string {
  if ("event" in at) return `on ${at.event}`;
  if ("offset" in at) return `${at.direction} offset ${at.offset}`;
  const pattern = Buffer.isBuffer(at.after) ? at.after.toString("hex") : String(at.after);
  return `${at.direction} ${at.plus ?? 0} behind ${pattern}`;
}

export type RuleState = {
  readonly rule: FaultRule;
  /** How often it has run. */
  fired: number;
  /** Connections that its selector has matched. */
  matched: number;
};

/** @param lateBytes so many bytes behind its place, which was known too late; 0 in a sound script */
export type RunRule = (state: RuleState, connection: FaultConnection, lateBytes: number) => void;

export class RuleBook {
  readonly #run: RunRule;
  #states: RuleState[];

  constructor(rules: readonly FaultRule[], run: RunRule) {
    this.#run = run;
    this.#states = rules.map(toState);
  }

  add(rule: FaultRule): RuleState {
    const state = toState(rule);
    this.#states.push(state);
    return state;
  }

  /** No rule runs any more. */
  clear(): void {
    this.#states = [];
  }

  follow(connection: FaultConnection): ConnectionRules {
    const rules = new ConnectionRules(connection, (state, lateBytes) => {
      if (!this.#states.includes(state) || state.fired >= timesOf(state.rule)) return;
      state.fired++;
      this.#run(state, connection, lateBytes);
    });
    for (const state of this.#states) rules.add(state);
    return rules;
  }
}

function toState(rule: FaultRule): RuleState {
  return { rule, fired: 0, matched: 0 };
}

function timesOf({ times, connection }: FaultRule): number {
  return times ?? (connection === "every" ? Infinity : 1);
}

/** A rule on one connection: until its connection is known to be meant, and its place is reached. */
type Pending = {
  readonly state: RuleState;
  readonly search: PatternSearch | undefined;
  /** undefined until the client's first bytes tell. */
  isMeant: boolean | undefined;
  /** Where the place is, once known. */
  offset: number | undefined;
  isArmed: boolean;
};

export class ConnectionRules {
  readonly #connection: FaultConnection;
  readonly #fire: (state: RuleState, lateBytes: number) => void;
  readonly #pending: Pending[] = [];
  #head = "";

  constructor(connection: FaultConnection, fire: (state: RuleState, lateBytes: number) => void) {
    this.#connection = connection;
    this.#fire = fire;
  }

  add(state: RuleState): void {
    const { at } = state.rule;
    const pending: Pending = {
      state,
      search: "after" in at ? new PatternSearch(at.after) : undefined,
      isMeant: undefined,
      offset: "offset" in at ? at.offset : undefined,
      isArmed: false,
    };
    this.#pending.push(pending);
    this.#look(pending);
  }

  /** Bytes that have come and are not forwarded yet. */
  onReceived(direction: Direction, chunk: Buffer): void {
    const hasNewHead = direction === "toTarget" && this.#head.length < HEAD_BYTES;
    if (hasNewHead) this.#head = (this.#head + chunk.toString("latin1")).slice(0, HEAD_BYTES);
    for (const pending of this.#pending) {
      this.#search(pending, direction, chunk);
      this.#look(pending);
    }
  }

  onEvent(event: string): void {
    for (const { state, isMeant } of this.#pending) {
      const { at } = state.rule;
      if (isMeant === true && "event" in at && at.event === event) this.#fire(state, 0);
    }
  }

  #search(pending: Pending, direction: Direction, chunk: Buffer): void {
    const { at } = pending.state.rule;
    if (!("after" in at) || at.direction !== direction || pending.offset !== undefined) return;
    const end = pending.search?.feed(chunk);
    if (end !== undefined) pending.offset = end + (at.plus ?? 0);
  }

  #look(pending: Pending): void {
    pending.isMeant ??= this.#isMeant(pending.state);
    const { at } = pending.state.rule;
    if (pending.isMeant !== true || pending.isArmed || pending.offset === undefined || "event" in at) return;
    pending.isArmed = true;
    const { direction } = at;
    const { offset } = pending;
    this.#connection.stopAt(direction, offset, () => {
      this.#fire(pending.state, this.#connection.bytes(direction).forwarded - offset);
    });
  }

  #isMeant(state: RuleState): boolean | undefined {
    const { connection } = state.rule;
    if (connection === "every") return true;
    if (typeof connection === "number") return this.#connection.index === connection;
    if (!connection.matches(this.#head)) return undefined;
    const nth = state.matched++;
    return connection.nth === undefined || connection.nth === nth;
  }
}
