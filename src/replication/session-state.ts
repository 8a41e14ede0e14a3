/**
 * The states of a replication session and of a flow, as pure transition tables (docs/design.md §4). A missing cell does not compile; a cell of
 * `null` is an event that cannot happen in that state, and a bug if it does.
 */
import { Df2RedisError } from "../errors/df2redis-error.ts";

export type SessionState =
  | "connecting"
  | "handshake"
  | "full_sync"
  | "catching_up"
  | "stable"
  | "stopping"
  | "stopped"
  | "failed";

export type SessionEvent =
  /** Both sides are connected. */
  | "connected"
  /** Every flow answered FULL, and DFLY SYNC was accepted. */
  | "fullSyncStarted"
  /** Every flow answered PARTIAL. */
  | "partialSyncStarted"
  /** Every flow delivered its cut, and STARTSTABLE was accepted. */
  | "stableStarted"
  /** All that the flows received has been applied. */
  | "caughtUp"
  /** The operator wants to stop, or a snapshot-only run has all it wants. */
  | "stop"
  /** After `stop`: everything decoded has been applied and acknowledged. */
  | "drained"
  | "fail";

type Table<State extends string, Event extends string> = Readonly<Record<State, Readonly<Record<Event, State | null>>>>;

const ENDED = {
  connected: null,
  fullSyncStarted: null,
  partialSyncStarted: null,
  stableStarted: null,
  caughtUp: null,
  stop: null,
  drained: null,
  fail: null,
} as const;

export const SESSION_TRANSITIONS: Table<SessionState, SessionEvent> = {
  connecting: { ...ENDED, connected: "handshake", stop: "stopping", fail: "failed" },
  handshake: {
    ...ENDED,
    fullSyncStarted: "full_sync",
    partialSyncStarted: "catching_up",
    stop: "stopping",
    fail: "failed",
  },
  full_sync: { ...ENDED, stableStarted: "catching_up", stop: "stopping", fail: "failed" },
  catching_up: { ...ENDED, caughtUp: "stable", stop: "stopping", fail: "failed" },
  stable: { ...ENDED, caughtUp: "stable", stop: "stopping", fail: "failed" },
  stopping: { ...ENDED, stop: "stopping", drained: "stopped", fail: "failed" },
  stopped: ENDED,
  failed: { ...ENDED, fail: "failed" },
};

export type FlowState = "connecting" | "snapshot" | "cut" | "barrier" | "stable" | "closed";

export type FlowEvent =
  | "openedFull"
  | "openedPartial"
  /** FULLSYNC_END. */
  | "cut"
  /** The EOF token: the journal starts. */
  | "snapshotEnded"
  /** A FLUSHALL or FLUSHDB that waits for the other flows. */
  | "flushReached"
  | "flushReleased"
  | "close";

const FLOW_NONE = {
  openedFull: null,
  openedPartial: null,
  cut: null,
  snapshotEnded: null,
  flushReached: null,
  flushReleased: null,
} as const;

export const FLOW_TRANSITIONS: Table<FlowState, FlowEvent> = {
  connecting: { ...FLOW_NONE, openedFull: "snapshot", openedPartial: "stable", close: "closed" },
  snapshot: { ...FLOW_NONE, cut: "cut", close: "closed" },
  cut: { ...FLOW_NONE, snapshotEnded: "stable", close: "closed" },
  barrier: { ...FLOW_NONE, flushReleased: "stable", close: "closed" },
  stable: { ...FLOW_NONE, flushReached: "barrier", close: "closed" },
  closed: { ...FLOW_NONE, close: "closed" },
};

/** @throws INTERNAL when the event cannot happen in that state */
export function nextSessionState(state: SessionState, event: SessionEvent): SessionState {
  return SESSION_TRANSITIONS[state][event] ?? impossible("session", state, event);
}

/** @throws PROTOCOL_VIOLATION: what a flow does is the master's doing */
export function nextFlowState(state: FlowState, event: FlowEvent): FlowState {
  return FLOW_TRANSITIONS[state][event] ?? impossible("flow", state, event);
}

function impossible(what: "session" | "flow", state: string, event: string): never {
  const code = what === "flow" ? "PROTOCOL_VIOLATION" : "INTERNAL";
  throw new Df2RedisError(code, `a ${what} in state ${state} cannot get ${event}`, { context: { state, event } });
}
