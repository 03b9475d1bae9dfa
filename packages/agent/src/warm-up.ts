import { DEFAULT_LIMITS, taskSchema, type Assignment } from "@agentswarm/contracts";
import type { ModelRelay } from "./model-relay.ts";
import { openPiSession } from "./pi-session.ts";

/**
 * Runs a session against a model route that does not exist, so that Node compiles the code of a session before the
 * task is there. It has no result, and errors are ignored.
 */
export async function warmUp(relay: ModelRelay, workDir: string): Promise<void> {
  const ignore = () => undefined;
  try {
    const session = openPiSession({
      assignment: WARM_UP,
      cwd: workDir,
      workDir,
      // The relay itself answers 404 to this path.
      relay: { ...relay, baseUrl: `${relay.baseUrl}/warm-up` },
      system: "Warm-up.",
      ask: async () => ({ kind: "parked" }),
      onProgress: ignore,
      onHeard: ignore,
      onTranscript: ignore,
    });
    await session.prompt("Warm-up.");
  } catch {
    // The session of the task meets the same error and reports it.
  }
}

const WARM_UP: Assignment = {
  task: taskSchema.parse({
    id: "warm-up",
    featureId: "warm-up",
    featureSlug: "warm-up",
    key: "warm-up",
    kind: "build",
    title: "Warm-up",
    description: "",
    priority: 10,
    limits: DEFAULT_LIMITS,
  }),
  attempt: 1,
  baseCommit: "0".repeat(40),
  swarmKey: "warm-up/warm-up/work",
  checks: [],
  model: "none",
  gatewayKey: "none",
  maxTokens: 1,
  temperature: 0,
};
