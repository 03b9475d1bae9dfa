import { expect, test } from "vitest";
import { newTraceparent, traceIdOf, type QueueName } from "@agentswarm/contracts";
import { withTrace } from "@agentswarm/contracts/node";
import { bullQueue } from "../../../test/support/queue.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { planned, startPlanner, type TestPlanner } from "../testing/start-planner.ts";

const plan = { tasks: [planned("a"), planned("b", "a")] };
const met = { met: true, reason: "It is all there.", tasks: [] };
const answer = (_: number, text: string) => (text.includes("/-/accept") ? met : plan);

interface SentJob {
  readonly id: string;
  readonly text: string;
  readonly traceId: string | null;
}

/** The jobs of a queue whose body names the feature. */
async function jobsOf(planner: TestPlanner, queue: QueueName, featureId: string): Promise<SentJob[]> {
  const jobs = await bullQueue(planner.connection, queue).getJobs();
  return jobs
    .map((job) => {
      const { trace, body } = job.data as { trace: string; body: unknown };
      return { id: job.id ?? "", text: JSON.stringify(body), traceId: traceIdOf(trace) };
    })
    .filter(({ id, text }) => id.includes(featureId) || text.includes(`"${featureId}"`));
}

const traceIds = (jobs: readonly SentJob[]) => [...new Set(jobs.map(({ traceId }) => traceId))];

test("everything that is sent and logged for a feature has the trace of its submission", async () => {
  // One turn at a time, so that the turn of the second feature begins within the first one's.
  await using planner = await startPlanner(answer, { PLANS_AT_ONCE: "1" });
  const [first, second] = [newTraceparent(), newTraceparent()];
  const id = await withTrace(first, () => planner.submit("One thing"));
  const other = await withTrace(second, () => planner.submit("Another thing"));
  for (const featureId of [id, other]) await planner.ledger(featureId, (one) => one.tasks.length === 2);
  const firstTask = await waitUntil(
    "the task",
    20_000,
    async () => (await jobsOf(planner, "task", id))[0] ?? null,
  );
  const taskJobs = await waitUntil("the other task", 20_000, async () => {
    const jobs = await jobsOf(planner, "task", other);
    return jobs.length > 0 ? jobs : null;
  });
  expect(firstTask.traceId).toBe(traceIdOf(first));
  expect(traceIds(taskJobs)).toEqual([traceIdOf(second)]);

  // What the audit sends again has it too.
  await bullQueue(planner.connection, "task").obliterate({ force: true });
  const again = await waitUntil("the task again", 20_000, async () => {
    const jobs = await jobsOf(planner, "task", id);
    return jobs.length > 0 ? jobs : null;
  });
  expect(traceIds(again)).toEqual([traceIdOf(first)]);

  const messageOf = async (key: string) =>
    waitUntil(`the sending of ${key}`, 20_000, async () => {
      const jobs = await bullQueue(planner.connection, "task").getJobs();
      const bodies = jobs.map((job) => (job.data as { body: Parameters<TestPlanner["land"]>[0] }).body);
      return bodies.find(({ task }) => task.featureId === id && task.key === key) ?? null;
    });
  // The handoffs of this test have traces of their own.
  for (const key of ["a", "b"]) await planner.land(await messageOf(key));
  await planner.ledger(id, (one) => one.status === "verifying" && one.pending.length === 0);
  expect(traceIds(await jobsOf(planner, "sweep", id))).toEqual([traceIdOf(first)]);
  for (const [featureId, trace] of [
    [id, first],
    [other, second],
  ] as const) {
    const events = await jobsOf(planner, "event", featureId);
    expect(events.map(({ text }) => text).join("\n")).toContain('"model.used"');
    expect(traceIds(events)).toEqual([traceIdOf(trace)]);
  }

  const lines = planner.service
    .output()
    .split("\n")
    .filter((line) => line.includes(`"featureId":"${id}"`) && line.includes('"level":30'))
    .map(
      (line) =>
        JSON.parse(line.slice(line.indexOf("{"))) as { traceId?: string; status: string; round?: number },
    );
  expect(new Set(lines.map((line) => line.traceId))).toEqual(new Set([traceIdOf(first)]));
  const transitions = lines.map(({ status, round }) => (round === undefined ? status : `${status} ${round}`));
  expect(transitions).toEqual([
    "queued",
    "planning",
    "planned 0",
    "sent 1",
    "planned 0",
    "building",
    "landed 1",
    "sent 1",
    "landed 1",
    "verifying",
  ]);
});
