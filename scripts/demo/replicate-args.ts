/** The command line that the demo runs and shows. */

export type ReplicateArgs = { readonly source: string; readonly target: string; readonly stateDir: string };

export function replicateArgs({ source, target, stateDir }: ReplicateArgs): string[] {
  return ["replicate", "--source", source, "--target", `redis://${target}`, "--state-dir", stateDir];
}

/** For recordings, which hold filters and sketches of all four kinds: without it the first one ends the run. */
export const DROP_FILTERS: readonly string[] = ["bloom", "cuckoo", "cms", "topk"].flatMap((feature) => [
  `--unsupported-${feature}`,
  "drop",
]);

/** As one would type it: two options on each line. */
export function commandLine([name = "", ...options]: readonly string[]): string {
  const lines = [`./df2redis ${name} ${options.slice(0, 4).join(" ")}`];
  for (let at = 4; at < options.length; at += 4) lines.push(`    ${options.slice(at, at + 4).join(" ")}`);
  return lines.join(" \\\n");
}
