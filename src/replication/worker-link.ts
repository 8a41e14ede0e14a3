/** The main thread's end of a worker, in a thread of its own or inline. Events arrive asynchronously either way. */
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { Df2RedisError, asDf2RedisError } from "../errors/df2redis-error.ts";
import { moduleUrl } from "../runtime/module-url.ts";
import { WorkerHost } from "./worker-host.ts";
import type { WorkerCommand, WorkerEvent } from "./worker-messages.ts";
import { type WorkerSettings, toPlainSettings } from "./worker-settings.ts";

/** The data path makes little garbage: a larger nursery would only be memory, tens of MB in a long copy. */
const NURSERY_MB = 12;
/** How long a drained thread may take to close its connections. */
const CLOSE_MS = 3000;

export type WorkerLink = {
  send(command: WorkerCommand): void;
  /** Closes what is open, after draining in an orderly way, and waits until the thread is gone. */
  close(): Promise<void>;
};

export function startInlineWorker(settings: WorkerSettings, onEvent: (event: WorkerEvent) => void): WorkerLink {
  const host = new WorkerHost(settings, (event) => queueMicrotask(() => onEvent(event)));
  void host.start();
  return {
    send: (command) => host.handle(command),
    close: async () => host.handle({ type: "close" }),
  };
}

export function startThreadWorker(settings: WorkerSettings, onEvent: (event: WorkerEvent) => void): WorkerLink {
  const thread = new Worker(moduleUrl("./thread-worker.ts", import.meta.url), {
    workerData: toPlainSettings(settings),
    resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MB },
  });
  const exited = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
  let isClosing = false;
  let hasDrained = false;
  const fail = (error: Df2RedisError): void => {
    if (!isClosing) onEvent({ type: "failed", error: error.toPlain() });
  };
  thread.on("message", (event: WorkerEvent) => {
    hasDrained ||= event.type === "drained";
    onEvent(event);
  });
  thread.on("error", (thrown) => fail(asDf2RedisError(thrown)));
  thread.on("exit", (code) => {
    if (!hasDrained) fail(new Df2RedisError("INTERNAL", `a worker thread ended with code ${code}`));
  });
  return {
    send: (command) => thread.postMessage(command),
    close: async () => {
      isClosing = true;
      // After draining it ends by itself, once its connections are closed behind its last acknowledgements.
      if (hasDrained) {
        thread.postMessage({ type: "close" } satisfies WorkerCommand);
        await Promise.race([exited, setTimeout(CLOSE_MS, undefined, { ref: false })]);
      }
      await thread.terminate();
    },
  };
}
