/**
 * How the source's release treats deadlines of members, where releases differ. Facts, from Dragonfly's sources: HINCRBY and HINCRBYFLOAT keep a
 * field's deadline from 1.36.0 on and take it away before (src/server/hset_family.cc OpIncrBy); SADDEX renews the deadline of a member
 * that is there from 1.28.0 on and leaves it alone before (src/core/string_set.cc AddBatch). The flag `legacy_saddex_keepttl` of newer masters is
 * taken to be off, as by default. Pure.
 */
export type MemberSourceRules = {
  readonly incrementKeepsDeadline: boolean;
  readonly saddexRenews: boolean;
};

const LATEST: MemberSourceRules = { incrementKeepsDeadline: true, saddexRenews: true };

/** @param version as the source's stream tells it (`df-v1.40.1`); the latest is assumed for one that cannot be read */
export function memberSourceRules(version: string | undefined): MemberSourceRules {
  const match = /^df-v(\d+)\.(\d+)/.exec(version ?? "");
  if (match === null) return LATEST;
  const release = Number(match[1]) * 1000 + Number(match[2]);
  return { incrementKeepsDeadline: release >= 1036, saddexRenews: release >= 1028 };
}
