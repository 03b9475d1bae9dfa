import { subjectOf } from "@agentswarm/contracts";
import type { Logger } from "@agentswarm/service";
import { eventsBetween, recordsById } from "./events-between.ts";
import type { Ledger } from "./ledger.ts";

/** A task or feature that has come into a new state. */
interface Transition {
  readonly featureId: string;
  readonly taskId?: string;
  readonly round?: number;
  readonly status: string;
  readonly reason?: string;
}

/** The transitions of a feature and its tasks, read from the events between two ledgers. Pure. */
export function transitionsBetween(before: Ledger | null, after: Ledger): Transition[] {
  const featureId = after.feature.id;
  const transitions: Transition[] = [];
  const [olds, records] = [recordsById(before), recordsById(after)];
  for (const event of eventsBetween(before, after, 0)) {
    const { type } = event;
    const { taskId } = subjectOf(event);
    const record = records.get(taskId ?? "");
    const old = olds.get(taskId ?? "");
    if (type === "feature.changed" && before?.status !== after.status) {
      transitions.push({ featureId, status: after.status, ...reasonOf(after.reason) });
    }
    if (record === undefined || taskId === undefined) continue;
    const { status, round, reason } = record;
    const of = { featureId, taskId, round };
    if (type === "task.planned") transitions.push({ ...of, round: 0, status: "planned" });
    if (type === "task.sent") transitions.push({ ...of, status: "sent", ...reasonOf(reason) });
    const isNews = type === "task.changed" && status !== (old?.status ?? "planned");
    if (isNews && status !== "sent") transitions.push({ ...of, status, ...reasonOf(reason) });
  }
  return transitions;
}

function reasonOf(reason: string | null): { reason?: string } {
  return reason === null || reason === "" ? {} : { reason: reason.slice(0, 1_000) };
}

/** Logs one info line per transition. */
export function logTransitions(log: Logger, before: Ledger | null, after: Ledger): void {
  for (const transition of transitionsBetween(before, after)) {
    const { status, taskId } = transition;
    log.info(transition, taskId === undefined ? `feature ${status}` : `task ${status}`);
  }
}
