import type { EventToSend, FeatureSubmission } from "@agentswarm/contracts";

/** The event that the planner sends too when it takes the feature in; one id, so it counts once. */
export function submittedEvent(
  feature: FeatureSubmission,
): Extract<EventToSend, { type: "feature.submitted" }> {
  const { id, repoId } = feature;
  return { id: `feature-submitted-${id}`, type: "feature.submitted", repoId, featureId: id, data: feature };
}
