import {
  DEFAULT_LIMITS,
  DEFAULT_REPO,
  domainEventSchema,
  handoffSchema,
  NO_METRICS,
  type DomainEvent,
  type EventType,
} from "@agentswarm/contracts";

/** A price that doubles add up exactly. */
export const PRICE_USD = 0.25;
/** Events of one task from its planning to its landing. */
export const EVENTS_PER_TASK = 9;

const AT = Date.parse("2026-11-21T12:00:00Z");

/** The events of one feature with `tasks` tasks that all land, as the services send them. */
export function makeEvents(featureId: string, tasks: number): DomainEvent[] {
  const events: DomainEvent[] = [];
  const add = (id: string, type: EventType, about: object, data: object) => {
    const at = AT + events.length;
    const sent = { id: `${id}-${featureId}`, type, repoId: DEFAULT_REPO, featureId, ...about, data };
    events.push(domainEventSchema.parse({ ...sent, at, actor: "test" }));
  };
  const changed = (ledgerVersion: number, status: string, landed: number) =>
    add(
      `feature-changed-${ledgerVersion}`,
      "feature.changed",
      { ledgerVersion },
      {
        status,
        reason: null,
        costUsd: 0,
        tokens: 0,
        finishedAt: null,
        counts: {
          total: tasks,
          ready: 0,
          underWay: tasks - landed,
          landed,
          failed: 0,
          held: 0,
        },
      },
    );
  const title = `Feature ${featureId}`;
  add("submitted", "feature.submitted", {}, { id: featureId, title, source: "rest", createdAt: AT });
  changed(1, "building", 0);
  for (let nth = 0; nth < tasks; nth += 1) {
    const taskId = `${featureId}-t${nth}`;
    const ledgerVersion = 2 + 3 * nth;
    const about = { taskId };
    const task = {
      id: taskId,
      featureId,
      featureSlug: featureId,
      key: `t${nth}`,
      kind: "build",
      title: `Task ${nth}`,
      description: "Write it.",
      priority: 5,
      limits: DEFAULT_LIMITS,
    };
    const state = { reason: null, round: 1, attemptsUsed: 0, supersededBy: null };
    const used = { role: "work", model: "m", backend: "b", tokensIn: 10, tokensOut: 1, costUsd: PRICE_USD };
    const handoff = { taskId, attempt: 1, round: 1, end: "submitted", metrics: NO_METRICS, summary: "done" };
    const commit = String(nth).padStart(40, "0");
    const sandbox = { provider: "p", sandboxId: "s", baseCommit: commit, round: 1 };
    const landed = { kind: "landed", commit, tree: commit, group: 1, title: "t", model: "m", costUsd: 0 };
    add(`planned-${nth}`, "task.planned", about, task);
    add(`sent-${nth}`, "task.changed", { ...about, ledgerVersion }, { ...state, status: "sent" });
    add(`started-${nth}`, "attempt.started", { ...about, attempt: 1 }, sandbox);
    for (const call of [1, 2]) add(`used-${nth}-${call}`, "model.used", { ...about, attempt: 1 }, used);
    add(
      `ended-${nth}`,
      "attempt.ended",
      { ...about, attempt: 1 },
      handoffSchema.parse({ ...handoff, headCommit: commit }),
    );
    add(`landed-${nth}`, "landing.landed", { ...about, attempt: 1 }, landed);
    add(
      `done-${nth}`,
      "task.changed",
      { ...about, ledgerVersion: ledgerVersion + 1 },
      { ...state, status: "landed" },
    );
    changed(ledgerVersion + 2, nth === tasks - 1 ? "done" : "building", nth + 1);
  }
  return events;
}
