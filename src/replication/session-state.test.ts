/** The transition tables, cell by cell, against a list of what may happen that was written from docs/design.md §4. */
import { describe, expect, test } from "vitest";
import { Df2RedisError } from "../errors/df2redis-error.ts";
import {
  FLOW_TRANSITIONS,
  type FlowEvent,
  type FlowState,
  nextFlowState,
  nextSessionState,
  SESSION_TRANSITIONS,
  type SessionEvent,
  type SessionState,
} from "./session-state.ts";

const SESSION_STATES: readonly SessionState[] = [
  "connecting",
  "handshake",
  "full_sync",
  "catching_up",
  "stable",
  "stopping",
  "stopped",
  "failed",
];
const SESSION_EVENTS: readonly SessionEvent[] = [
  "connected",
  "fullSyncStarted",
  "partialSyncStarted",
  "stableStarted",
  "caughtUp",
  "stop",
  "drained",
  "fail",
];

/** `state event → state`; every other cell must be impossible. */
const SESSION_LEGAL = `
  connecting  connected          → handshake
  connecting  stop               → stopping
  connecting  fail               → failed
  handshake   fullSyncStarted    → full_sync
  handshake   partialSyncStarted → catching_up
  handshake   stop               → stopping
  handshake   fail               → failed
  full_sync   stableStarted      → catching_up
  full_sync   stop               → stopping
  full_sync   fail               → failed
  catching_up caughtUp           → stable
  catching_up stop               → stopping
  catching_up fail               → failed
  stable      caughtUp           → stable
  stable      stop               → stopping
  stable      fail               → failed
  stopping    stop               → stopping
  stopping    drained            → stopped
  stopping    fail               → failed
  failed      fail               → failed
`;

const FLOW_STATES: readonly FlowState[] = ["connecting", "snapshot", "cut", "barrier", "stable", "closed"];
const FLOW_EVENTS: readonly FlowEvent[] = [
  "openedFull",
  "openedPartial",
  "cut",
  "snapshotEnded",
  "flushReached",
  "flushReleased",
  "close",
];

const FLOW_LEGAL = `
  connecting openedFull    → snapshot
  connecting openedPartial → stable
  connecting close         → closed
  snapshot   cut           → cut
  snapshot   close         → closed
  cut        snapshotEnded → stable
  cut        close         → closed
  stable     flushReached  → barrier
  stable     close         → closed
  barrier    flushReleased → stable
  barrier    close         → closed
  closed     close         → closed
`;

/** `state event` → next state. */
function parse(legal: string): Map<string, string> {
  const lines = legal.trim().split("\n");
  return new Map(
    lines.map((line) => line.trim().split(/\s+/)).map(([from, event, , to = ""]) => [`${from} ${event}`, to]),
  );
}

function cells<S extends string, E extends string>(states: readonly S[], events: readonly E[]): [S, E][] {
  return states.flatMap((state) => events.map((event): [S, E] => [state, event]));
}

function codeOf(run: () => unknown): string {
  try {
    return `went on as ${String(run())}`;
  } catch (error) {
    return error instanceof Df2RedisError ? error.code : String(error);
  }
}

describe("a session", () => {
  const legal = parse(SESSION_LEGAL);

  test("has the states and events listed here, and no others", () => {
    expect(Object.keys(SESSION_TRANSITIONS)).toEqual(SESSION_STATES);
    for (const row of Object.values(SESSION_TRANSITIONS)) expect(Object.keys(row)).toEqual(SESSION_EVENTS);
    expect(legal.size).toBe(20);
  });

  test.each(cells(SESSION_STATES, SESSION_EVENTS))("in %s gets %s", (state, event) => {
    const expected = legal.get(`${state} ${event}`);
    if (expected === undefined) expect(codeOf(() => nextSessionState(state, event))).toBe("INTERNAL");
    else expect(nextSessionState(state, event)).toBe(expected);
  });
});

describe("a flow", () => {
  const legal = parse(FLOW_LEGAL);

  test("has the states and events listed here, and no others", () => {
    expect(Object.keys(FLOW_TRANSITIONS)).toEqual(FLOW_STATES);
    for (const row of Object.values(FLOW_TRANSITIONS))
      expect(Object.keys(row).toSorted()).toEqual(FLOW_EVENTS.toSorted());
    expect(legal.size).toBe(12);
  });

  // What a flow does is the master's doing: an event out of place is its breach, not our bug.
  test.each(cells(FLOW_STATES, FLOW_EVENTS))("in %s gets %s", (state, event) => {
    const expected = legal.get(`${state} ${event}`);
    if (expected === undefined) expect(codeOf(() => nextFlowState(state, event))).toBe("PROTOCOL_VIOLATION");
    else expect(nextFlowState(state, event)).toBe(expected);
  });

  test("an impossible event names state and event", () => {
    expect(() => nextFlowState("snapshot", "flushReached")).toThrow("a flow in state snapshot cannot get flushReached");
  });
});
