import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { buildAgent } from "@agentswarm/agent";
import { jobId } from "@agentswarm/contracts";
import { jobBody } from "@agentswarm/queue";
import { startReplay } from "@agentswarm/replay";
import { startFakeModal } from "../../packages/sandbox/testing/fake-modal/start-fake-modal.ts";
import { waitUntil } from "../support/wait-until.ts";
import { openSwarm } from "../../services/dispatcher/testing/open-swarm.ts";

const SCENARIO = ["one", "two"]
  .map(
    (key) => `
- key: feature/${key}/work
  steps:
    - calls: [{ tool: write, args: { path: ${key}.txt, content: "${key}\\n" } }]
    - calls: [{ tool: submit, args: { summary: "Wrote ${key}" } }]`,
  )
  .join("");

const dir = mkdtempSync(join(tmpdir(), "swarm-modal-agent-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("the real agent runs through Modal's SDK, and its file is uploaded once", async () => {
  writeFileSync(join(dir, "scenario.yaml"), SCENARIO);
  const agentFile = await buildAgent(join(dir, "agent", "agent.mjs"));
  await using modal = await startFakeModal({ rootless: true });
  process.env["MODAL_SERVER_URL"] = modal.url;
  await using replay = await startReplay({ scenarioDir: dir });
  await using swarm = await openSwarm(replay.url);
  const tokens = { MODAL_TOKEN_ID: "ak-fake", MODAL_TOKEN_SECRET: "as-fake" };
  const settings = { ...tokens, SANDBOX_PROVIDER: "modal", AGENT_FILE: agentFile, LLM_MODEL: "recorded" };
  await using _dispatcher = await swarm.dispatcher(settings);
  const ids: string[] = [];
  for (const key of ["one", "two"]) {
    const task = await swarm.submit(`Work on ${key}`, { key });
    ids.push(task.id);
    const request = await waitUntil(`the merge request of ${key}`, 40_000, () =>
      jobBody(swarm.connection, "merge", jobId.merge(task.id, 1)),
    );
    expect(request.handoff).toMatchObject({
      outcome: "complete",
      end: "submitted",
      filesChanged: [`${key}.txt`],
    });
  }
  const { calls, opened } = await modal.ask();
  const agents = opened.filter((one) => one.tags["purpose"] === "agent");
  expect(agents.map((one) => [one.tags["task"], one.tags["attempt"]])).toEqual(ids.map((id) => [id, "1"]));
  expect(calls["TaskSnapshotFilesystem"]).toBe(1);
  await waitUntil("the end of every sandbox", 10_000, async () => {
    const now = (await modal.ask()).calls;
    return now["SandboxTerminateV2"] === now["SandboxCreateV2"] ? true : null;
  });
});
