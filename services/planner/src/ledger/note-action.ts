import type { EventToSend, PersonAction } from "@agentswarm/contracts";
import type { Ledger } from "./ledger.ts";

/**
 * The ledger after a person's action, with the event that says who did it and by which way. An action that changed nothing,
 * as one that comes twice, has no event. `at`: when the ledger was read. Pure.
 */
export function noteAction(before: Ledger, after: Ledger, data: PersonAction, at: number): Ledger {
  if (after === before) return before;
  const { id: featureId, repoId } = before.feature;
  const event: EventToSend = {
    id: `person-acted-${data.action}-${data.taskId ?? featureId}-${at}`,
    type: "person.acted",
    repoId,
    featureId,
    data,
  };
  return { ...after, pending: [...after.pending, { kind: "emit", event }] };
}
