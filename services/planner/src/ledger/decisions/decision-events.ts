import type { Decision, EventToSend } from "@agentswarm/contracts";
import { changedDecisions, type DecisionChange } from "./kept-decisions.ts";
import { isOverdue } from "./when-due.ts";

/** What the events of one list of decisions are about. */
interface About {
  readonly repoId: string;
  readonly featureId: string;
  /** Version of the record that holds the decisions. */
  readonly ledgerVersion: number;
}

type DecisionEventType = Extract<EventToSend["type"], `decision.${string}`>;

/** The events of what a step asked and changed in one list of decisions. Their ids are derived. Pure. */
export function decisionEvents(
  before: readonly Decision[] | undefined,
  after: readonly Decision[],
  about: About,
): EventToSend[] {
  return changedDecisions(before, after).flatMap((change) =>
    happened(change).map(([type, id]): EventToSend => ({
      id,
      type,
      ...about,
      data: { decision: change.now },
    })),
  );
}

/** What happened to a decision, with the ids of the events. A decision that is only shortened has no event. */
function happened({ old, now }: DecisionChange): [DecisionEventType, string][] {
  const events: [DecisionEventType, string][] = [];
  if (old === undefined) events.push(["decision.asked", `decision-asked-${now.id}`]);
  for (const { id } of now.answers.slice(old?.answers.length ?? 0))
    events.push(["decision.answered", `decision-answered-${now.id}-${id}`]);
  if (now.reminded > (old?.reminded ?? 0))
    events.push(["decision.reminded", `decision-reminded-${now.id}-${now.reminded}`]);
  if (isTimedOut(now) && !(old !== undefined && isTimedOut(old)))
    events.push(["decision.timed-out", `decision-timed-out-${now.id}`]);
  if (now.state === "withdrawn" && old?.state !== "withdrawn")
    events.push(["decision.withdrawn", `decision-withdrawn-${now.id}`]);
  return events;
}

/** Whether its time was over; `onTimeout: hold` leaves it open. */
function isTimedOut(decision: Decision): boolean {
  return decision.state === "timed-out" || isOverdue(decision);
}
