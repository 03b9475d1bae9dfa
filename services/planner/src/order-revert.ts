import type { FeatureSubmission } from "@agentswarm/contracts";
import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { addRevert } from "./ledger/revert-feature.ts";

/** Reads the landings of a feature in the order of the trunk, and adds the task that takes them back. */
export async function orderRevert(
  ctx: PlannerContext,
  { id, repoId }: Pick<FeatureSubmission, "id" | "repoId">,
): Promise<void> {
  const { mirror } = ctx.repo(repoId);
  await mirror.fetch();
  const landings = (await mirror.landings(await mirror.head())).filter((one) => one.featureId === id);
  await step(ctx, id, (now) => now && addRevert(now, landings));
}
