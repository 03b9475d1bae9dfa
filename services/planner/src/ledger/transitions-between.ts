import { subjectOf, type Decision } from "@agentswarm/contracts";
import type { Logger } from "@agentswarm/service";
import { eventsBetween, recordsById } from "./events-between.ts";
import type { Ledger } from "./ledger.ts";

/** A feature, a task or a decision that has come into a new state. */
interface Transition {
  readonly featureId: string;
  readonly taskId?: string;
  readonly decisionId?: string;
  /** Of a decision. */
  readonly kind?: string;
  readonly round?: number;
  readonly status: string;
  readonly reason?: string;
}

/** The transitions of a feature, its tasks and decisions, read from the events between two ledgers. Pure. */
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
    if ("decision" in event.data) transitions.push(ofDecision(event.type, event.data.decision));
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

function ofDecision(type: string, { id, kind, featureId, taskId, endReason, answers }: Decision): Transition {
  const status = type.slice("decision.".length);
  const by = answers.at(-1)?.by;
  const reason = status === "answered" && by !== undefined ? `by ${by}` : endReason;
  const about = { featureId, ...(taskId === null ? {} : { taskId }) };
  return { ...about, decisionId: id, kind, status, ...reasonOf(reason) };
}

function reasonOf(reason: string | null): { reason?: string } {
  return reason === null || reason === "" ? {} : { reason: reason.slice(0, 1_000) };
}

/** Logs one info line per transition. */
export function logTransitions(log: Logger, before: Ledger | null, after: Ledger): void {
  for (const transition of transitionsBetween(before, after)) {
    const { status, taskId, decisionId } = transition;
    const what = decisionId !== undefined ? "decision" : taskId === undefined ? "feature" : "task";
    log.info(transition, `${what} ${status}`);
  }
}
