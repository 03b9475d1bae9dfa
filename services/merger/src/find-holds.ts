import { asFault, type MergeOutcome, type MergeRequest, type TargetSettings } from "@agentswarm/contracts";
import { isRefusedContent } from "@agentswarm/git";
import type { LandingContext } from "./context.ts";
import { describePackages } from "./describe-packages.ts";
import { checkDependencyChanges } from "./dependency-changes.ts";
import { checkProtectedPaths } from "./protected-paths.ts";
import { checkReview } from "./check-review.ts";
import { checkSecrets } from "./secrets/check-secrets.ts";

/** A reason travels in messages and events. */
const MAX_CHARS = 8_000;

/**
 * The attempts that do not land without a person's approval, each with every reason for it. An attempt that git cannot
 * read is refused as unsafe, so that it does not fail the batch.
 */
export async function findHolds(
  ctx: LandingContext,
  requests: readonly MergeRequest[],
  target: TargetSettings,
): Promise<Map<MergeRequest, MergeOutcome>> {
  const outcomes = new Map<MergeRequest, MergeOutcome>();
  const reasons = new Map<MergeRequest, string[]>();
  for (const request of requests) {
    try {
      const { allow } = target.install;
      const { held, packages, allowed } = await checkDependencyChanges(ctx.engine, request, allow);
      const touched = await checkProtectedPaths(ctx.engine, request, target, allowed);
      const known = packages.length === 0 ? null : describePackages(await ctx.packages.of(packages));
      const review = await checkReview(ctx, request, target.review);
      const why = [held, known, touched, review].filter((one) => one !== null);
      if (why.length > 0) reasons.set(request, why);
    } catch (error) {
      outcomes.set(request, unreadable(error));
    }
  }
  const readable = requests.filter((request) => !outcomes.has(request));
  for (const [request, why] of await checkSecrets(ctx, readable, target.secrets))
    reasons.set(request, [...(reasons.get(request) ?? []), why]);
  for (const [request, all] of reasons) {
    const why = all.join("; ").slice(0, MAX_CHARS);
    outcomes.set(request, { kind: "held", why, base: request.baseCommit });
  }
  return outcomes;
}

/** Throws a fault that the attempt did not cause. */
function unreadable(error: unknown): MergeOutcome {
  const fault = asFault(error);
  if (!isRefusedContent(fault)) throw fault;
  return { kind: "unsafe", why: `git cannot read the attempt: ${fault.message}` };
}

/** An approval holds for one commit and no other. Null: the request is not approved, or it is for its own commit. */
export function whyNotApproved({ approvedBy, approvedHead, headCommit }: MergeRequest): string | null {
  if (approvedBy === undefined || approvedHead === headCommit) return null;
  return `the approval by ${approvedBy} is for commit ${approvedHead ?? "(none)"}, but commit ${headCommit} would land`;
}
