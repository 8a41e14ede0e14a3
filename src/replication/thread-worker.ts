/** Entry of a worker thread: a `WorkerHost` behind the thread's message port. */
import { parentPort, workerData } from "node:worker_threads";
import { WorkerHost } from "./worker-host.ts";
import type { WorkerCommand } from "./worker-messages.ts";
import { type PlainWorkerSettings, fromPlainSettings } from "./worker-settings.ts";

const port = parentPort;
if (port !== null) {
  const host = new WorkerHost(fromPlainSettings(workerData as PlainWorkerSettings), (event) => port.postMessage(event));
  port.on("message", (command: WorkerCommand) => {
    host.handle(command);
    // From here on the thread lives only as long as its connections. Not earlier: a paused connection keeps no thread alive.
    if (command.type === "close") port.unref();
  });
  void host.start();
}
