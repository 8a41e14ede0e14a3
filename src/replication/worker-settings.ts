/** What a worker needs to know at its start, as plain data that crosses a thread. */
import type { DecodeLimits } from "../bytes/decode-limits.ts";
import type { Endpoint, TlsSettings } from "../config/endpoint.ts";
import { Secret } from "../config/secret.ts";
import type { DatabaseRule } from "../config/database-pairs.ts";
import type { ConflictPolicy, ErrorsConfig, ExpiryConfig, WriteMode } from "../config/schema.ts";
import type { SharedOwnedKeys } from "../target/owned-keys.ts";
import type { FeaturePlan } from "../target/features.ts";
import type { FlowMemberDeadline } from "./member-deadlines-file.ts";
import type { TargetCapabilities } from "../target/capabilities.ts";

/** What is to become of the keys that the target held before. */
export type ConflictSettings = { readonly policy: ConflictPolicy; readonly owned: SharedOwnedKeys };

export type WorkerSettings = {
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly capabilities: TargetCapabilities;
  readonly limits: DecodeLimits;
  readonly bodyLimitBytes: number;
  readonly batchBytes: number;
  readonly windowBytes: number;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
  readonly snapshotOnly: boolean;
  readonly plan: FeaturePlan;
  readonly writeMode: WriteMode;
  readonly expiry: ExpiryConfig;
  /** Empty: each database keeps its number. */
  readonly databases: readonly DatabaseRule[];
  /** undefined when the target was empty. */
  readonly conflict: ConflictSettings | undefined;
  /** For what has to be remembered of keys of merged databases, all flows together. */
  readonly guardLimitBytes: number;
  /** The master journals commands that failed, too: a refusal by the target repeats the source's. */
  readonly sourceJournalsFailures: boolean;
  /** Not given: nothing is retried, and there is no dead-letter file. */
  readonly errors?: ErrorsConfig | undefined;
  /** What an earlier run has kept, for flows that go on where it stopped. */
  readonly memberDeadlines: readonly FlowMemberDeadline[];
  readonly flows: number;
  readonly counters: SharedArrayBuffer;
};

type PlainTls = Omit<TlsSettings, "keyPassphrase"> & { readonly keyPassphrase: string | undefined };
type PlainEndpoint = Omit<Endpoint, "password" | "tls"> & {
  readonly password: string | undefined;
  readonly tls: PlainTls | undefined;
};

/** Secrets are class instances, which a thread does not carry: they cross in the clear, inside this process. */
export type PlainWorkerSettings = Omit<WorkerSettings, "source" | "target"> & {
  readonly source: PlainEndpoint;
  readonly target: PlainEndpoint;
};

export function toPlainSettings(settings: WorkerSettings): PlainWorkerSettings {
  return { ...settings, source: toPlain(settings.source), target: toPlain(settings.target) };
}

export function fromPlainSettings(plain: PlainWorkerSettings): WorkerSettings {
  return { ...plain, source: fromPlain(plain.source), target: fromPlain(plain.target) };
}

function toPlain(endpoint: Endpoint): PlainEndpoint {
  const { tls } = endpoint;
  return {
    ...endpoint,
    password: endpoint.password?.reveal(),
    tls: tls === undefined ? undefined : { ...tls, keyPassphrase: tls.keyPassphrase?.reveal() },
  };
}

function fromPlain(plain: PlainEndpoint): Endpoint {
  const { tls } = plain;
  return {
    ...plain,
    password: toSecret(plain.password),
    tls: tls === undefined ? undefined : { ...tls, keyPassphrase: toSecret(tls.keyPassphrase) },
  };
}

function toSecret(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}
