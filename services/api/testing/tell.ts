import {
  DEFAULT_LIMITS,
  DEFAULT_REPO,
  handoffSchema,
  NO_METRICS,
  taskSchema,
  type EventToSend,
  type EventType,
  type Handoff,
  type Task,
  type TaskStatus,
} from "@agentswarm/contracts";
import { createSender } from "@agentswarm/queue";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import type { TestApi } from "./start-api.ts";

/** Tells an api what the other services would tell it. */
export function openTeller(api: TestApi) {
  const sender = createSender(api.connection, "test");
  let told = 0;
  /** The sender parses the event, so that what fits no schema is reported and does not arrive. */
  const eventOf = (id: string, type: EventType, about: object, data: object) =>
    ({ id, type, repoId: DEFAULT_REPO, ...about, data }) as EventToSend;
  const event = (type: EventType, about: object, data: object) => {
    told += 1;
    return sender.event(eventOf(`told-${told}`, type, about, data));
  };
  return {
    event,
    /** Tells an event to an api that has taken it in before, as after a crash. */
    async again(id: string, type: EventType, about: object, data: object) {
      const queue = bullQueue(api.connection, "event");
      for (let nth = 0; nth < 2; nth += 1) {
        await sender.event(eventOf(id, type, about, data));
        await waitUntil(`event ${id} taken in`, 20_000, async () => {
          const done = await queue.getJobs("completed");
          const job = done.find((one) => (one.data as { body: { id: string } }).body.id === id);
          // Without it the queue would see a second sending of the same job.
          await job?.remove();
          return job === undefined ? null : true;
        });
      }
    },
    /** A feature with one task, which stands as `status` says, and is shown so when this resolves. */
    async task(id: string, status: TaskStatus, more: Partial<Task> = {}): Promise<Task> {
      const featureId = `feature-of-${id}`;
      const feature = { id: featureId, title: `The feature of ${id}`, source: "rest", createdAt: 1 };
      const submitted = { ...feature, description: "", acceptance: [], priority: 5 };
      const task = taskSchema.parse({
        id,
        featureId,
        featureSlug: "a-feature",
        key: "only",
        kind: "build",
        title: `Task ${id}`,
        description: "Write it.",
        priority: 5,
        limits: DEFAULT_LIMITS,
        ...more,
      });
      await event("feature.submitted", { featureId }, submitted);
      await event("task.planned", { featureId, taskId: id }, task);
      const changed = { status, reason: null, round: 1, attemptsUsed: 0, supersededBy: null };
      await event("task.changed", { featureId, taskId: id, ledgerVersion: 2 }, changed);
      await waitUntil(`task ${id} shown as ${status}`, 20_000, async () => {
        const answer = await api.ask(`/v1/tasks/${id}`);
        return answer.ok && ((await answer.json()) as { status: string }).status === status ? true : null;
      });
      return task;
    },
    /** How a feature stands, by a ledger of this version. */
    async feature(id: string, status: string, ledgerVersion: number, reason: string | null = null) {
      const counts = { total: 1, landed: status === "done" ? 1 : 0, running: 0, failed: 0, held: 0 };
      const data = { status, reason, costUsd: 0.5, tokens: 10, finishedAt: null, counts };
      await event("feature.changed", { featureId: id, ledgerVersion }, data);
      await waitUntil(`feature ${id} shown as ${status}`, 20_000, async () => {
        const answer = await api.ask(`/v1/features/${id}`);
        return answer.ok && ((await answer.json()) as { status: string }).status === status ? true : null;
      });
    },
    /** The end of an attempt. */
    attemptEnded(task: Task, attempt: number, more: Partial<Handoff> = {}) {
      const base = { taskId: task.id, attempt, round: 1, end: "submitted", metrics: NO_METRICS };
      const handoff = handoffSchema.parse({ ...base, headCommit: null, summary: "It is done", ...more });
      return event("attempt.ended", { featureId: task.featureId, taskId: task.id, attempt }, handoff);
    },
  };
}
