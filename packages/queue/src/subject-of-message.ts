import type { MessageOf, QueueName } from "@agentswarm/contracts";
import type { WaitingSubject } from "./waiting.ts";

/** What waits while a message cannot be handled; null for messages that nobody waits for by name. */
export function subjectOfMessage<Q extends QueueName>(queue: Q, body: MessageOf<Q>): WaitingSubject | null {
  switch (queue) {
    case "task": {
      const { repoId, featureId, id } = (body as MessageOf<"task">).task;
      return { repoId, featureId, taskId: id };
    }
    case "merge": {
      const { repoId, featureId, taskId } = body as MessageOf<"merge">;
      return { repoId, featureId, taskId };
    }
    case "sweep":
      return { repoId: (body as MessageOf<"sweep">).repoId };
    default:
      return null;
  }
}
