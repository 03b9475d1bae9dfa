import { trunkHealthId } from "@agentswarm/contracts";
import type { Usage } from "@agentswarm/llm";
import type { QueueConnection, Sender } from "@agentswarm/queue";

/**
 * Emits what a call for drafts used as a `model.used` event of the trunk's health, so that the reconciler's cost is in
 * the same sums as the planner's and the agents'.
 */
export async function reportUsage(
  by: {
    readonly connection: QueueConnection;
    readonly sender: Sender;
    readonly model: string;
    readonly repoId: string;
  },
  usage: Usage,
): Promise<void> {
  await by.sender.event({
    // Every call of the model is paid, so the time of the call makes the id.
    id: `model-used-draft-fixes-${await by.connection.now()}`,
    type: "model.used",
    repoId: by.repoId,
    featureId: trunkHealthId(by.repoId),
    data: { role: "draft-fixes", model: by.model, ...usage },
  });
}
