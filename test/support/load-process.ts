/**
 * The load generator's own process (see load-generator.ts): takes its plan as an argument, writes at the wanted rate over all connections, and tells
 * its parent how far it is, twice a second and at the end. It ends by itself when its parent is gone.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { LoadConnection } from "./load-connection.ts";
import type { LoadPlan, LoadStatus } from "./load-generator.ts";
import { LoadMix } from "./load-mix.ts";

const TICK_MS = 4;
const REPORT_MS = 500;
/** Steps that one write may hold: a few packets. */
const STEPS_PER_WRITE = 32;
/** What may be caught up when the process or the server was held up. */
const MAX_LATE_MS = 5000;

const plan = JSON.parse(process.argv[2] ?? "") as LoadPlan;

class Load {
  readonly #connections: LoadConnection[] = [];
  readonly #mixes: LoadMix[] = [];
  readonly #startedMs = performance.now();
  #steps = 0;
  #allowedSteps = 0;
  #commandsPerStep = 1;
  #lastTickMs = this.#startedMs;
  #stopping = false;
  #turn = 0;
  #wake = (): void => {};

  async run(): Promise<void> {
    await this.#open();
    const ticks = setInterval(() => this.#tick(), TICK_MS);
    const reports = setInterval(() => this.#tell("progress"), REPORT_MS);
    await this.#untilDone();
    clearInterval(ticks);
    clearInterval(reports);
    this.#tell("done");
    for (const connection of this.#connections) connection.close();
  }

  stop(): void {
    this.#stopping = true;
    this.#wake();
  }

  async #open(): Promise<void> {
    for (let i = 0; i < plan.connections; i++) {
      const connection = new LoadConnection(await openSocket(), () => this.#onReplies());
      this.#connections.push(connection);
      this.#mixes.push(new LoadMix({ seed: plan.seed, connection: i, keys: plan.keys, largePer10k: plan.largePer10k }));
      const { out } = this.#mixes[i] as LoadMix;
      if (plan.user !== undefined || plan.password !== undefined)
        out.add("AUTH", plan.user ?? "default", plan.password ?? "");
      out.add("SELECT", plan.databases[i % plan.databases.length] ?? 0);
      this.#flush(i);
    }
  }

  #onReplies(): void {
    if (plan.opsPerSecond === undefined && !this.#stopping) this.#fill();
    this.#wake();
  }

  #tick(): void {
    const nowMs = performance.now();
    const passedMs = Math.min(MAX_LATE_MS, nowMs - this.#lastTickMs);
    this.#lastTickMs = nowMs;
    if (this.#stopping) return;
    if (plan.opsPerSecond === undefined) return this.#fill();
    // A step may be several commands; the rate counts commands.
    this.#allowedSteps += (passedMs * plan.opsPerSecond) / 1000 / this.#commandsPerStep;
    this.#fill(this.#allowedSteps);
  }

  /** Gives each connection in turn some steps, as long as its window has room. */
  #fill(allowedSteps = Infinity): void {
    const count = this.#connections.length;
    let full = 0;
    while (full < count && this.#steps < allowedSteps && !this.#isEnough()) {
      const i = this.#turn++ % count;
      const connection = this.#connections[i] as LoadConnection;
      if (connection.outstanding >= plan.window) {
        full += 1;
        continue;
      }
      full = 0;
      const steps = Math.min(
        STEPS_PER_WRITE,
        Math.ceil(allowedSteps - this.#steps),
        (plan.steps ?? Infinity) - this.#steps,
      );
      for (let left = steps; left > 0; left--) this.#mixes[i]?.step();
      this.#steps += steps;
      this.#flush(i);
    }
    if (this.#steps > 500) this.#commandsPerStep = this.#sum((connection) => connection.sent) / this.#steps;
  }

  #flush(i: number): void {
    const taken = this.#mixes[i]?.out.take();
    if (taken !== undefined && taken.commands > 0) this.#connections[i]?.write(taken.text, taken.commands);
  }

  #isEnough(): boolean {
    return this.#steps >= (plan.steps ?? Infinity);
  }

  /** Until it was told to stop, or has done its steps, and every reply is here. */
  async #untilDone(): Promise<void> {
    const isDone = (): boolean =>
      (this.#stopping || this.#isEnough()) && this.#connections.every((one) => one.outstanding <= 0);
    const isBroken = (): boolean => this.#connections.some((one) => one.closed !== undefined);
    while (!isDone() && !isBroken()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #tell(event: LoadStatus["event"]): void {
    const errors: Record<string, number> = {};
    for (const connection of this.#connections)
      for (const [text, count] of connection.errors) errors[text] = (errors[text] ?? 0) + count;
    const status: LoadStatus = {
      event,
      elapsedMs: performance.now() - this.#startedMs,
      commands: this.#sum((connection) => connection.answered),
      bytes: this.#sum((connection) => connection.sentBytes),
      errors,
      closed: this.#connections.find((connection) => connection.closed !== undefined)?.closed ?? null,
    };
    process.send?.(status);
  }

  #sum(of: (connection: LoadConnection) => number): number {
    let sum = 0;
    for (const connection of this.#connections) sum += of(connection);
    return sum;
  }
}

async function openSocket(): Promise<Socket> {
  const address = { host: plan.host, port: plan.port };
  const socket = plan.tlsCa === undefined ? connect(address) : connectTls({ ...address, ca: plan.tlsCa });
  await new Promise<void>((resolve, reject) => {
    socket.once(plan.tlsCa === undefined ? "connect" : "secureConnect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

const load = new Load();
process.on("message", (message) => {
  if (message === "stop") load.stop();
});
process.on("disconnect", () => process.exit(1));
try {
  await load.run();
  process.disconnect();
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
