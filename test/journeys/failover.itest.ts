import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startReplay } from "@agentswarm/replay";
import { freePort } from "../../tools/local/free-port.ts";
import { startSwarm } from "../../tools/local/start-swarm.ts";
import { openModelProxy, type Treatment } from "../support/model-proxy.ts";
import { runFeature } from "../support/run-feature.ts";
import { git, makeStringKit } from "../support/string-kit.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-failover-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Refuses the first streamed call and cuts the second within its answer; passes all others. */
function openPlan(): (streamed: boolean) => Treatment {
  const treatments: Treatment[] = ["overloaded", "dies"];
  return (streamed) => (streamed ? treatments.shift() : undefined) ?? "pass";
}

test("a backend that is overloaded, dies within an answer and comes back costs no task its attempt", async () => {
  const origin = makeStringKit(dir);
  await using replay = await startReplay({
    scenarioDir: join(import.meta.dirname, "../fixtures/string-kit"),
  });
  await using primary = await openModelProxy(replay.url, openPlan());
  await using backup = await openModelProxy(replay.url);
  const backends = [
    { name: "primary", baseUrl: primary.url, model: "recorded", priority: 1 },
    { name: "backup", baseUrl: backup.url, model: "recorded", priority: 2 },
  ];
  await using swarm = await startSwarm({
    home: join(dir, "home"),
    env: {
      ...process.env,
      GIT_REPO_URL: origin,
      API_PORT: String(await freePort()),
      REDIS_URL: "",
      LLM_BACKENDS: JSON.stringify(backends),
      // Both backends only play recorded answers.
      MODEL_RECORDED: "true",
    },
    scenarioDir: dir,
    say: () => undefined,
  });
  const feature = await runFeature(swarm, {
    title: "Turn titles into slugs",
    acceptance: ["slugify has a test"],
  });
  expect(feature).toMatchObject({ status: "done", counts: { total: 2, landed: 2, failed: 0 } });
  expect(primary.seen).toMatchObject({ overloaded: 1, dies: 1 });
  expect(primary.seen.pass).toBeGreaterThan(0);
  expect(backup.seen.pass).toBeGreaterThan(0);

  for (const { id } of feature.tasks) {
    const task = (await (await fetch(`${swarm.apiUrl}/v1/tasks/${id}`)).json()) as { attemptsUsed: number };
    expect(task.attemptsUsed).toBeLessThan(2);
  }
  const status = (await (await fetch(`${swarm.apiUrl}/v1/status`)).json()) as {
    cost: { byBackend: Record<string, { tokens: number }> };
  };
  expect(Object.keys(status.cost.byBackend).toSorted()).toEqual(["backup", "primary"]);
  expect(git(origin, "rev-parse", "green")).toBe(git(origin, "rev-parse", "main"));
});
