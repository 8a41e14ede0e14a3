/** The main thread's end of a worker, in a thread of its own or inline. Events arrive asynchronously either way. */
import { Worker } from "node:worker_threads";
import { Df2RedisError, asDf2RedisError } from "../errors/df2redis-error.ts";
import { moduleUrl } from "../runtime/module-url.ts";
import { WorkerHost } from "./worker-host.ts";
import type { WorkerCommand, WorkerEvent } from "./worker-messages.ts";
import { type WorkerSettings, toPlainSettings } from "./worker-settings.ts";

export type WorkerLink = {
  send(command: WorkerCommand): void;
  /** Waits until the thread is gone. */
  close(): Promise<void>;
};

export function startInlineWorker(settings: WorkerSettings, onEvent: (event: WorkerEvent) => void): WorkerLink {
  const host = new WorkerHost(settings, (event) => queueMicrotask(() => onEvent(event)));
  void host.start();
  return {
    send: (command) => host.handle(command),
    close: async () => host.handle({ type: "abort" }),
  };
}

export function startThreadWorker(settings: WorkerSettings, onEvent: (event: WorkerEvent) => void): WorkerLink {
  const thread = new Worker(moduleUrl("./thread-worker.ts", import.meta.url), { workerData: toPlainSettings(settings) });
  let isClosing = false;
  const fail = (error: Df2RedisError): void => {
    if (!isClosing) onEvent({ type: "failed", error: error.toPlain() });
  };
  thread.on("message", onEvent);
  thread.on("error", (thrown) => fail(asDf2RedisError(thrown)));
  thread.on("exit", (code) => fail(new Df2RedisError("INTERNAL", `a worker thread ended with code ${code}`)));
  return {
    send: (command) => thread.postMessage(command),
    close: async () => {
      isClosing = true;
      await thread.terminate();
    },
  };
}
