#!/usr/bin/env node
/**
 * Where the program starts. On a Node that is too old it says so before anything else is loaded, so this file and what it
 * imports statically must parse there: no top-level await, no `?.`, no `#private`. Built, it is `dist/bin.js`; in a checkout
 * the launcher `./df2redis` runs it with the right Node (an old one cannot even read the `.ts`).
 */
import { isNodeSupported, nodeComplaint } from "./runtime/node-version.ts";

function start(): void {
  import("./cli/main.ts")
    .then((cli) => cli.main(process.argv.slice(2)))
    .then((exitCode) => {
      process.exitCode = exitCode;
    })
    .catch((error: unknown) => {
      // main() reports every error in the operator's words; this is for a defect in it.
      console.error(error);
      process.exitCode = 1;
    });
}

if (isNodeSupported(process.versions.node)) {
  start();
} else {
  console.error(nodeComplaint(process.versions.node));
  process.exitCode = 1;
}
