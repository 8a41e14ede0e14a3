import { describe, expect, test } from "vitest";
import { DEFAULT_DECODE_LIMITS } from "../bytes/decode-limits.ts";
import type { Endpoint } from "../config/endpoint.ts";
import { REDIS_70, DROP_ALL } from "../../test/support/capabilities.ts";
import { Secret } from "../config/secret.ts";
import { FlowCounters } from "./flow-counters.ts";
import { fromPlainSettings, toPlainSettings, type WorkerSettings } from "./worker-settings.ts";

const PLAIN: Endpoint = { host: "10.0.0.2", port: 6379, user: undefined, password: undefined, tls: undefined };

const SECURED: Endpoint = {
  host: "dragonfly.example",
  port: 6380,
  user: "replica",
  password: new Secret("source-password"),
  tls: {
    ca: "the CA",
    cert: "the certificate",
    key: "the key",
    keyPassphrase: new Secret("open sesame"),
    serverName: "df",
    insecure: false,
  },
};

function settings(source: Endpoint, target: Endpoint): WorkerSettings {
  return {
    source,
    target,
    capabilities: REDIS_70,
    limits: DEFAULT_DECODE_LIMITS,
    bodyLimitBytes: 1000,
    batchBytes: 2000,
    windowBytes: 3000,
    connectTimeoutMs: 4000,
    replyTimeoutMs: 5000,
    snapshotOnly: true,
    plan: DROP_ALL,
    expiry: { hold: "snapshot", withinHours: 24 },
    databases: [],
    conflict: undefined,
    guardLimitBytes: 1024 * 1024,
    memberDeadlines: [],
    writeMode: "auto",
    sourceJournalsFailures: false,
    flows: 2,
    counters: new FlowCounters(2).buffer,
  };
}

function revealed(endpoint: Endpoint): unknown[] {
  return [endpoint.password?.reveal(), endpoint.tls?.keyPassphrase?.reveal()];
}

describe("settings on their way to a worker thread", () => {
  test.each([
    ["secured", SECURED, PLAIN],
    ["plain", PLAIN, SECURED],
  ])("come back as they were, secrets included: the source %s", (_, source, target) => {
    const given = settings(source, target);
    const back = fromPlainSettings(structuredClone(toPlainSettings(given)));
    for (const side of ["source", "target"] as const) {
      expect(revealed(back[side])).toEqual(revealed(given[side]));
      const hidden = { password: "hidden", tls: "hidden" };
      expect({ ...back[side], ...hidden }).toEqual({ ...given[side], ...hidden });
      const shown = (endpoint: Endpoint): object => ({ ...endpoint.tls, keyPassphrase: "hidden" });
      expect(shown(back[side])).toEqual(shown(given[side]));
    }
    const rest = { source: "above", target: "above", counters: "below" };
    expect({ ...back, ...rest }).toEqual({ ...given, ...rest });
  });

  test("I10: a password is a Secret again on the other side", () => {
    const back = fromPlainSettings(structuredClone(toPlainSettings(settings(SECURED, SECURED))));
    expect(JSON.stringify(back)).not.toMatch(/source-password|open sesame/);
    expect(`${String(back.source.password)} ${String(back.target.tls?.keyPassphrase)}`).toBe("*** ***");
  });

  test("the counters are shared, not copied", () => {
    const given = settings(PLAIN, PLAIN);
    const back = fromPlainSettings(structuredClone(toPlainSettings(given)));
    new FlowCounters(2, back.counters).set(1, "keys", 42);
    expect(new FlowCounters(2, given.counters).get(1, "keys")).toBe(42);
  });
});
