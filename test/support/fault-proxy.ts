/**
 * A TCP proxy between any two peers that breaks things: it cuts, stalls, delays, throttles, splits, corrupts, half-opens and refuses, by hand, by
 * script (`rules`), or at random with a seed. Without a fault it passes everything on as it comes. See faults/ for the parts.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Waiters } from "../../src/simulator/waiters.ts";
import {
  type CutKind,
  describeAction,
  type Direction,
  DIRECTIONS,
  type FaultAction,
  type FaultControls,
  type Side,
} from "./faults/fault-action.ts";
import { type FaultClock, realClock } from "./faults/fault-clock.ts";
import { FaultConnection } from "./faults/fault-connection.ts";
import { type PipeShape, plainShape } from "./faults/fault-pipe.ts";
import { type ConnectionRules, describeRule, type FaultRule, RuleBook, type RuleState } from "./faults/fault-rules.ts";
import { randomFaults, type RandomFaultsOptions } from "./faults/random-faults.ts";
import { SEED_VARIABLE } from "./faults/test-seed.ts";

const HOST = "127.0.0.1";

export type ProxyTarget = { readonly host?: string; readonly port: number };

export type FaultProxyOptions = {
  /** May be given later, by `retarget`. */
  readonly target?: ProxyTarget;
  readonly rules?: readonly FaultRule[];
  /** Adds random faults; `random` shapes them. */
  readonly seed?: number;
  readonly random?: Omit<RandomFaultsOptions, "seed">;
  readonly clock?: FaultClock;
};

/** Something that happened, in words. */
export type ProxyEvent = { readonly atMs: number; readonly connection: number | undefined; readonly what: string };

export async function startFaultProxy(options: FaultProxyOptions = {}): Promise<FaultProxy> {
  const proxy = new FaultProxy(options);
  await proxy.accept();
  return proxy;
}

export class FaultProxy implements FaultControls, AsyncDisposable {
  readonly host = HOST;
  readonly connections: FaultConnection[] = [];
  readonly events: ProxyEvent[] = [];
  readonly #clock: FaultClock;
  readonly #seed: number | undefined;
  readonly #startMs: number;
  readonly #waiters = new Waiters();
  readonly #rules: RuleBook;
  readonly #schedule: FaultRule[];
  readonly #followers = new Map<FaultConnection, ConnectionRules>();
  /** Of connections to come. */
  readonly #shapes: Record<Direction, PipeShape> = { toTarget: plainShape(), toClient: plainShape() };
  #target: ProxyTarget | undefined;
  #server: Server | undefined;
  #port = 0;

  constructor(options: FaultProxyOptions) {
    this.#clock = options.clock ?? realClock;
    this.#startMs = this.#clock.now();
    this.#target = options.target;
    this.#seed = options.seed;
    const random = options.seed === undefined ? [] : randomFaults({ ...options.random, seed: options.seed });
    this.#schedule = [...(options.rules ?? []), ...random];
    this.#rules = new RuleBook(this.#schedule, (...run) => this.#runRule(...run));
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `${HOST}:${this.#port}`;
  }

  /** Connections that are not closed on both sides. */
  get openConnections(): FaultConnection[] {
    return this.connections.filter(({ state }) => state !== "closed");
  }

  /** The proxy's own memory of what is under way. */
  get heldBytes(): number {
    return this.connections.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
  }

  /** Connections from now on go there. */
  retarget(target: ProxyTarget): void {
    this.#target = target;
  }

  addRule(rule: FaultRule): void {
    this.#schedule.push(rule);
    const state = this.#rules.add(rule);
    for (const follower of this.#followers.values()) follower.add(state);
  }

  /** Lets rules run that wait for `event`. */
  emit(event: string): void {
    for (const follower of this.#followers.values()) follower.onEvent(event);
  }

  cut(how?: CutKind): void {
    for (const connection of this.openConnections) connection.cut(how);
  }

  halfOpen(gone: Side, how?: CutKind): void {
    for (const connection of this.openConnections) connection.halfOpen(gone, how);
  }

  stall(direction?: Direction): void {
    this.#reshape({ stalled: true }, direction);
  }

  unstall(direction?: Direction): void {
    this.#reshape({ stalled: false }, direction);
  }

  delay(ms: number, direction?: Direction): void {
    this.#reshape({ delayMs: ms }, direction);
  }

  throttle(bytesPerSecond: number, direction?: Direction): void {
    this.#reshape({ bytesPerSecond }, direction);
  }

  split(pieceBytes = 1, direction?: Direction): void {
    this.#reshape({ pieceBytes }, direction);
  }

  /** New connections are refused (ECONNREFUSED); those that are open stay. */
  refuse(): void {
    this.#server?.close();
    this.#server = undefined;
    this.#log(undefined, "refuses connections");
  }

  /** Takes new connections again, on the same port. */
  async accept(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, HOST, resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Ends everything that can be ended: shapes, and rules that have not run yet. Refused connections: see `accept`. */
  heal(): void {
    this.#rules.clear();
    for (const direction of DIRECTIONS) this.#shapes[direction] = plainShape();
    for (const connection of this.openConnections) connection.heal();
  }

  /** Waits for any condition on the proxy. */
  until(condition: () => boolean): Promise<void> {
    return this.#waiters.until(condition);
  }

  whenConnected(count: number): Promise<void> {
    return this.until(() => this.connections.length >= count);
  }

  /** When an event that holds these words has happened, e.g. a rule's name. */
  whenEvent(words: string): Promise<void> {
    return this.until(() => this.events.some(({ what }) => what.includes(words)));
  }

  /** How to run this again, the rules, and what happened. */
  report(): string {
    const seed = this.#seed === undefined ? [] : [`faults of ${SEED_VARIABLE}=${this.#seed}`];
    const rules = this.#schedule.map((rule) => `  rule ${describeRule(rule)}`);
    const events = this.events.map(
      ({ atMs, connection, what }) =>
        `  ${atMs.toFixed(0)} ms ${connection === undefined ? "" : `#${connection} `}${what}`,
    );
    return [...seed, ...rules, ...events].join("\n");
  }

  /** Runs `body`; when it fails, the error tells the report as well. */
  async explain<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      if (error instanceof Error) error.message += `\n${this.report()}`;
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#rules.clear();
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      if (server === undefined) resolve();
      else server.close(() => resolve());
    });
    for (const connection of this.connections) connection.destroy();
    await closed;
    this.#waiters.fail(new Error(`the fault proxy was stopped\n${this.report()}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(client: Socket): void {
    const { host = HOST, port } = this.#target ?? { port: 0 };
    const connection = new FaultConnection({
      index: this.connections.length,
      client,
      target: connect({ host, port, allowHalfOpen: true }),
      clock: this.#clock,
      shapes: this.#shapes,
      waiters: this.#waiters,
      onReceived: (from, direction, chunk) => this.#followers.get(from)?.onReceived(direction, chunk),
      onEvent: ({ index }, what) => this.#log(index, what),
    });
    this.connections.push(connection);
    this.#log(connection.index, "connected");
    this.#followers.set(connection, this.#rules.follow(connection));
    void connection.whenClosed().then(
      () => this.#followers.delete(connection),
      () => {},
    );
    this.#waiters.check();
  }

  #runRule({ rule }: RuleState, connection: FaultConnection, lateBytes: number): void {
    const late = lateBytes > 0 ? ` (${lateBytes} bytes late)` : "";
    this.#log(connection.index, `rule ${rule.name ?? ""} ${describeAction(rule.action)}${late}`);
    this.#apply(rule.action, connection);
    if (rule.name !== undefined) this.emit(rule.name);
  }

  #apply(action: FaultAction, connection: FaultConnection): void {
    switch (action.do) {
      case "cut":
        return connection.cut(action.how);
      case "halfOpen":
        return connection.halfOpen(action.gone, action.how);
      case "corrupt":
        return connection.corruptNext(action.direction, action.xor);
      case "refuse":
        return this.refuse();
      case "heal":
        return connection.heal();
      case "run":
        return action.run();
      default:
        return this.#shape(action, connection);
    }
  }

  #shape(
    action: Extract<FaultAction, { do: "stall" | "delay" | "throttle" | "split" }>,
    connection: FaultConnection,
  ): void {
    const { direction, forMs } = action;
    const end = startShaping(action, connection, direction);
    if (forMs !== undefined) this.#clock.after(forMs, end);
  }

  #reshape(change: Partial<PipeShape>, direction?: Direction): void {
    for (const one of direction === undefined ? DIRECTIONS : [direction]) Object.assign(this.#shapes[one], change);
    for (const connection of this.openConnections) connection.reshape(change, direction);
  }

  #log(connection: number | undefined, what: string): void {
    this.events.push({ atMs: this.#clock.now() - this.#startMs, connection, what });
    this.#waiters.check();
  }
}

/** @returns what ends it */
function startShaping(
  action: Extract<FaultAction, { do: "stall" | "delay" | "throttle" | "split" }>,
  connection: FaultConnection,
  direction: Direction | undefined,
): () => void {
  switch (action.do) {
    case "stall":
      connection.stall(direction);
      return () => connection.unstall(direction);
    case "delay":
      connection.delay(action.ms, direction);
      return () => connection.delay(0, direction);
    case "throttle":
      connection.throttle(action.bytesPerSecond, direction);
      return () => connection.throttle(Infinity, direction);
    case "split":
      connection.split(action.pieceBytes, direction);
      return () => connection.split(Infinity, direction);
  }
}
