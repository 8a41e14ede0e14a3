import { expect, test } from "vitest";
import { defaultWorkers } from "./default-workers.ts";

test.each([
  { flows: 1, cores: 1, workers: 1 },
  { flows: 8, cores: 1, workers: 1 },
  { flows: 8, cores: 2, workers: 1 },
  { flows: 8, cores: 3, workers: 2 },
  { flows: 8, cores: 64, workers: 2 },
  { flows: 1, cores: 64, workers: 1 },
])("$flows flows on $cores cores: $workers", ({ flows, cores, workers }) => {
  expect(defaultWorkers(flows, cores)).toBe(workers);
});
