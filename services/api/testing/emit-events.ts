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
import { bullQueue } from "../../../test/support/queue.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import type { TestApi } from "./start-api.ts";

/** The commit of every held task. */
export const HELD = "d".repeat(40);

/** Sends an api the events that the other services would send it. */
export function openEmitter(api: TestApi) {
  const sender = createSender(api.connection, "test");
  let sent = 0;
  /** The sender parses the event, so that one that fits no schema is reported and does not arrive. */
  const eventOf = (id: string, type: EventType, about: object, data: object) =>
    ({ id, type, repoId: DEFAULT_REPO, ...about, data }) as EventToSend;
  const event = (type: EventType, about: object, data: object) => {
    sent += 1;
    return sender.event(eventOf(`sent-${sent}`, type, about, data));
  };
  const shown = (path: string, status: string) =>
    waitUntil(`${path} shown as ${status}`, 20_000, async () => {
      const answer = await api.ask(path);
      return answer.ok && ((await answer.json()) as { status: string }).status === status ? true : null;
    });
  const attemptStarted = (task: Task, attempt: number, round = 1) =>
    event(
      "attempt.started",
      { featureId: task.featureId, taskId: task.id, attempt },
      { provider: "unisolated", sandboxId: `${task.id}-${attempt}`, baseCommit: "a".repeat(40), round },
    );
  return {
    event,
    attemptStarted,
    /** Sends an event twice to an api that takes it in each time, as after a crash. */
    async twice(id: string, type: EventType, about: object, data: object) {
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
    /** A change of a task by its planner. */
    taskChanged(task: Task, status: TaskStatus, ledgerVersion: number, round = 1) {
      const about = { featureId: task.featureId, taskId: task.id, ledgerVersion };
      const data = {
        status,
        reason: null,
        round,
        attemptsUsed: 0,
        supersededBy: null,
        ...(status === "held" ? { heldCommit: HELD } : {}),
      };
      return event("task.changed", about, data);
    },
    /** A feature with one task in this status, by the events of planner and dispatcher; shown so when this resolves. */
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
      // No planner says `running`: the attempt's start does.
      await this.taskChanged(task, status === "running" ? "sent" : status, 2);
      if (status === "running") await attemptStarted(task, 1);
      await shown(`/v1/tasks/${id}`, status);
      return task;
    },
    /** A change of a feature by its planner; shown so when this resolves. */
    async feature(id: string, status: string, ledgerVersion: number, reason: string | null = null) {
      const counts = {
        total: 1,
        ready: 0,
        underWay: 0,
        landed: status === "done" ? 1 : 0,
        failed: 0,
        held: 0,
      };
      const data = { status, reason, costUsd: 0.5, tokens: 10, finishedAt: null, counts };
      await event("feature.changed", { featureId: id, ledgerVersion }, data);
      await shown(`/v1/features/${id}`, status);
    },
    /** The end of an attempt. */
    attemptEnded(task: Task, attempt: number, more: Partial<Handoff> = {}) {
      const base = { taskId: task.id, attempt, round: 1, end: "submitted", metrics: NO_METRICS };
      const handoff = handoffSchema.parse({ ...base, headCommit: null, summary: "It is done", ...more });
      return event("attempt.ended", { featureId: task.featureId, taskId: task.id, attempt }, handoff);
    },
  };
}
