import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startApi } from "../../services/api/testing/start-api.ts";

const DASHBOARDS = join(import.meta.dirname, "../../infra/observability/grafana/dashboards");

test("dashboards ask only for metrics that there are", async () => {
  await using api = await startApi();
  const metrics = await (await api.ask("/metrics")).text();
  const told = new Set([...metrics.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const asked = readdirSync(DASHBOARDS).flatMap((file) => [
    ...readFileSync(join(DASHBOARDS, file), "utf8").matchAll(/agentswarm_\w+/g),
  ]);
  expect(asked.length).toBeGreaterThan(10);
  for (const [name] of asked) expect(told).toContain(name);
});
