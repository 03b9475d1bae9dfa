import type { DomainEvent, EventOf, EventType } from "@agentswarm/contracts";

/** Events that change neither a feature's view nor a task's. */
const OF_OTHER_VIEWS = [
  // They are read as decisions, notes and pauses.
  "decision.asked",
  "decision.answered",
  "decision.reminded",
  "decision.timed-out",
  "decision.withdrawn",
  "answer.refused",
  "note.said",
  "note.refused",
  "note.heard",
  "work.paused",
  "work.resumed",
  // They are read where the services write them: `openWaiting`.
  "task.waiting",
  "feature.waiting",
  "trunk.waiting",
] as const satisfies EventType[];

export function isOfOtherViews(event: DomainEvent): event is EventOf<(typeof OF_OTHER_VIEWS)[number]> {
  return (OF_OTHER_VIEWS as readonly EventType[]).includes(event.type);
}
