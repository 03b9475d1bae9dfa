import { DEFAULT_LIMITS, DEFAULT_REPO, type Task } from "@agentswarm/contracts";

/** A small task of the feature `feature-1`, with these fields instead of its own. */
export function makeTask(change: Partial<Task> = {}): Task {
  return {
    id: "a",
    featureId: "feature-1",
    repoId: DEFAULT_REPO,
    featureSlug: "one",
    key: "a",
    kind: "build",
    title: "A",
    description: "",
    context: "",
    scope: [],
    acceptance: [],
    checks: [],
    dependsOn: [],
    priority: 5,
    limits: DEFAULT_LIMITS,
    attemptBudget: 3,
    feedback: "",
    ...change,
  };
}
