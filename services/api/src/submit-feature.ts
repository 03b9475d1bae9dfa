import {
  DEFAULT_REPO,
  jobId,
  slug,
  type FeatureInput,
  type FeatureSubmission,
  type FeatureSummary,
  type SubmittedFeature,
} from "@agentswarm/contracts";
import { failpoint, featureIdOf } from "@agentswarm/contracts/node";
import { queueCounts } from "@agentswarm/queue";
import type { Person } from "./auth/person.ts";
import type { ApiContext } from "./context.ts";
import { Problem } from "./problem.ts";
import { submittedEvent } from "./project/submitted-event.ts";
import { refuseBeyondCaps } from "./refuse-beyond-caps.ts";
import { refuseUnpricedBudget } from "./refuse-unpriced-budget.ts";

const RETRY_SECONDS = 5;

/** Writes the feature's `plan` job, which is what makes it durable. The same key gives the same feature. */
export async function submitFeature(
  ctx: ApiContext,
  input: FeatureInput,
  idempotencyKey: string,
  { by, via }: Pick<Person, "by" | "via">,
): Promise<SubmittedFeature> {
  const id = featureIdOf(idempotencyKey);
  refuseBeyondCaps(ctx.caps, input.budget);
  await refuseUnpricedBudget(ctx, input.budget);
  await refuseWhenFull(ctx);
  const createdAt = await ctx.connection.now();
  const feature: FeatureSubmission = { ...input, id, repoId: DEFAULT_REPO, source: via, by, createdAt };
  failpoint("api.accepted");
  await ctx.sender.send("plan", { kind: "feature", feature }, { jobId: jobId.feature(id) });
  failpoint("api.enqueued");
  const known = await ctx.model.findFeature(id);
  if (known !== null && !isSameRequest(known, input)) {
    throw new Problem(422, "idempotency-key-reused", "this Idempotency-Key was used for another feature");
  }
  // The planner sends the same event; until then lists would not show the feature. A duplicate request has a time of
  // its own, so the event names the time of the first.
  void ctx.sender.event(submittedEvent({ ...feature, createdAt: known?.createdAt ?? createdAt }));
  return { id, slug: slug(feature.title), status: known?.status ?? "queued", url: `/v1/features/${id}` };
}

async function refuseWhenFull({ connection, maxQueueDepth }: ApiContext): Promise<void> {
  const { plan } = await queueCounts(connection);
  const waiting = (plan["waiting"] ?? 0) + (plan["prioritized"] ?? 0);
  if (waiting < maxQueueDepth) return;
  const detail = `${waiting} plans are waiting (MAX_QUEUE_DEPTH ${maxQueueDepth})`;
  throw new Problem(503, "queue-full", detail, RETRY_SECONDS);
}

/** Without the budget, which may have been changed since. */
function isSameRequest(known: FeatureSummary, input: FeatureInput): boolean {
  const compared = ({ title, description, acceptance, priority }: FeatureInput) =>
    JSON.stringify([title, description, acceptance, priority]);
  return compared(known) === compared(input);
}
