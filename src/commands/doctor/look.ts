/** What `doctor` saw of the two servers, before it judges. Whatever could not be had is undefined, or the error that says why. */
import type { Endpoint } from "../../config/endpoint.ts";
import type { Df2RedisError } from "../../errors/df2redis-error.ts";
import type { ClockReading } from "../../net/server-clock.ts";
import type { Census } from "../../source/census.ts";
import type { MasterInfo } from "../../source/master-info.ts";
import type { SourceFacts } from "../../source/source-facts.ts";
import type { TargetFacts } from "../../target/target-facts.ts";

export type SourceLook = {
  readonly endpoint: Endpoint;
  readonly facts: SourceFacts;
  /** What it answered in the handshake of a replica, or why it refused. */
  readonly handshake: MasterInfo | Df2RedisError;
  readonly census: Census;
  readonly clock: ClockReading | undefined;
  readonly latencyMs: number;
};

/** What became of the write that was tried. */
export type WriteTry = "written" | "not tried" | { readonly refused: string };

export type TargetLook = {
  readonly endpoint: Endpoint;
  readonly facts: TargetFacts;
  readonly write: WriteTry;
  readonly clock: ClockReading | undefined;
  readonly latencyMs: number;
};

/** A server that could not be looked at. */
export type NoLook = { readonly endpoint: Endpoint; readonly error: Df2RedisError };

export function wasSeen<T extends object>(look: T | NoLook): look is T {
  return !("error" in look);
}
