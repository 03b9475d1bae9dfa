import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { buildAgent } from "@agentswarm/agent";
import { jobId, type DomainEvent } from "@agentswarm/contracts";
import { jobBody } from "@agentswarm/queue";
import { startReplay } from "@agentswarm/replay";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { openSwarm, type TestSwarm } from "../testing/open-swarm.ts";

const SCENARIO = `
- key: feature/hello/work
  injectFault: { kind: "429", times: 1 }
  steps:
    - calls: [{ tool: write, args: { path: hello.txt, content: "hello\\n" } }]
    - calls: [{ tool: submit, args: { summary: "Says hello" } }]
- key: feature/half/work
  injectFault: { kind: partial-tool-call, times: 1 }
  steps:
    - calls: [{ tool: write, args: { path: whole.txt, content: "whole\\n" } }]
    - calls: [{ tool: submit, args: { summary: "Wrote the whole" } }]
`;

const dir = mkdtempSync(join(tmpdir(), "swarm-real-agent-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Figures {
  readonly sandbox: { readonly warm: boolean; readonly bytesIn: number };
  readonly sentToReadyMs: number;
  readonly sentToWorkMs: number;
}

/** The figures in the event of the end of a task's attempt. */
function figuresOf(swarm: TestSwarm, taskId: string): Promise<Figures> {
  return waitUntil(`attempt.ended of ${taskId}`, 10_000, async () => {
    const jobs = await bullQueue(swarm.connection, "event").getJobs();
    const events = jobs.map((job) => (job.data as { body: DomainEvent }).body);
    const ended = events.find((one) => one.type === "attempt.ended" && one.taskId === taskId);
    return (ended?.data as Figures | undefined) ?? null;
  });
}

test("the real agent finishes its task despite a 429 and a partial tool call", async () => {
  writeFileSync(join(dir, "scenario.yaml"), SCENARIO);
  const agentFile = await buildAgent(join(dir, "agent", "agent.mjs"));
  await using replay = await startReplay({ scenarioDir: dir });
  await using swarm = await openSwarm(replay.url);
  await using _dispatcher = await swarm.dispatcher({ AGENT_FILE: agentFile, LLM_MODEL: "recorded" });
  for (const [key, file] of [
    ["hello", "hello.txt"],
    ["half", "whole.txt"],
  ] as const) {
    const task = await swarm.submit(`Work on ${key}`, { key });
    const request = await waitUntil(`the merge request of ${key}`, 40_000, () =>
      jobBody(swarm.connection, "merge", jobId.merge(task.id, 1)),
    );
    expect(request.handoff).toMatchObject({ outcome: "complete", end: "submitted", filesChanged: [file] });
    expect(request.handoff.metrics).toMatchObject({ linesAdded: 1, filesCreated: 1 });
    const { sandbox, sentToReadyMs, sentToWorkMs } = await figuresOf(swarm, task.id);
    expect(sandbox.bytesIn).toBeGreaterThan(1_000);
    expect(sentToReadyMs).toBeGreaterThan(0);
    expect(sentToWorkMs).toBeGreaterThan(sentToReadyMs);
    // The first task may be sent before an agent waits.
    if (key === "half") expect(sandbox.warm).toBe(true);
  }
});
