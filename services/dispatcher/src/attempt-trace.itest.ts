import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jobId, newTraceparent, subjectOf, traceIdOf, type DomainEvent } from "@agentswarm/contracts";
import { withTrace } from "@agentswarm/contracts/node";
import { jobState } from "@agentswarm/queue";
import { bullQueue } from "../../../test/support/queue.ts";
import { json, startBackend, USAGE } from "../../../test/support/scripted-backend.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { openSwarm, type TestSwarm } from "../testing/open-swarm.ts";

const WITHIN_MS = 30_000;
const ANSWER = {
  choices: [{ message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: USAGE,
};
/** Every event of the fake agent's "work". */
const EVENTS = ["attempt.ended", "attempt.progressed", "attempt.started", "model.used"];
const TRANSITIONS = ["attempt opened", "attempt started", "attempt ended", "attempt passed on"];

interface Line {
  readonly msg: string;
  readonly featureId?: string;
  readonly taskId?: string;
  readonly attempt?: number;
  readonly traceId?: string;
}

async function eventsOf(swarm: TestSwarm, taskId: string): Promise<DomainEvent[]> {
  const jobs = await bullQueue(swarm.connection, "event").getJobs();
  const events = jobs.map((job) => (job.data as { body: DomainEvent }).body);
  return events.filter((event) => subjectOf(event).taskId === taskId);
}

/** Resolves when the sandbox of a waiting agent is open. */
const agentWaits = (swarm: TestSwarm) =>
  waitUntil("a waiting agent", WITHIN_MS, () => {
    const dir = join(swarm.home, "sandboxes");
    const records = readdirSync(dir).filter((name) => name.endsWith(".json"));
    return records.some((name) => readFileSync(join(dir, name), "utf8").includes('"pool"')) ? true : null;
  });

test("events, messages and log lines of an attempt carry the trace of its task, although the pool started its agent", async () => {
  await using backend = await startBackend(json(200, ANSWER));
  await using swarm = await openSwarm(backend.baseUrl);
  const lines: string[] = [];
  await using _dispatcher = await swarm.dispatcher({ WARM_POOL: "1" }, lines);
  const traces = new Map<string, string | null>();
  // The agent of each later task is started while the task before runs, within reach of that task's trace.
  for (let nth = 0; nth < 3; nth += 1) {
    const trace = newTraceparent();
    await agentWaits(swarm);
    const task = await withTrace(trace, () => swarm.submit("work"));
    traces.set(task.id, traceIdOf(trace));
    await waitUntil("the end of the job", WITHIN_MS, async () =>
      (await jobState(swarm.connection, "task", jobId.task(task.id, 1))) === "completed" ? true : null,
    );
  }

  for (const [taskId, traceId] of traces) {
    const events = await waitUntil("the events", WITHIN_MS, async () => {
      const found = await eventsOf(swarm, taskId);
      return EVENTS.every((type) => found.some((event) => event.type === type)) ? found : null;
    });
    expect(events.map(({ type }) => type).toSorted()).toEqual(EVENTS);
    expect(new Set(events.map((event) => event.traceId))).toEqual(new Set([traceId]));
    const merge = await bullQueue(swarm.connection, "merge").getJob(jobId.merge(taskId, 1));
    const envelope = merge?.data as { trace: string } | undefined;
    expect(traceIdOf(envelope?.trace ?? "")).toBe(traceId);

    const logged = lines.map((line) => JSON.parse(line) as Line).filter((line) => line.taskId === taskId);
    expect(logged.map(({ msg }) => msg)).toEqual(TRANSITIONS);
    for (const line of logged) expect(line).toMatchObject({ featureId: "feature-1", attempt: 1, traceId });
  }
});
