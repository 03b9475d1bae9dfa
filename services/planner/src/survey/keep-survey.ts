import type { Documents } from "@agentswarm/queue";

/** Keeps a feature's newest survey, which goes with each of its tasks. */
export async function keepSurvey(
  surveys: Documents<string>,
  featureId: string,
  survey: string,
): Promise<void> {
  for (;;) {
    const found = await surveys.get(featureId);
    if (found?.value === survey) return;
    if (await surveys.compareAndSet(featureId, found?.version ?? 0, survey)) return;
  }
}
