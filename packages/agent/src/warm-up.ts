import { DEFAULT_LIMITS, taskSchema, type Assignment } from "@agentswarm/contracts";
import type { Relay } from "./door.ts";
import { openPiSession } from "./pi-session.ts";

/**
 * Goes once through what every session goes through, up to a model that is not there: what is used for the first
 * time is compiled then, and the real session begins sooner. Nothing comes of it, whatever happens.
 */
export async function rehearse(relay: Relay, workDir: string): Promise<void> {
  const nothing = () => undefined;
  try {
    const session = openPiSession({
      assignment: REHEARSAL,
      cwd: workDir,
      workDir,
      // The relay answers this itself: there is no such path.
      relay: { ...relay, baseUrl: `${relay.baseUrl}/nothing` },
      system: "A rehearsal.",
      onProgress: nothing,
      onTranscript: nothing,
    });
    await session.prompt("Is anybody there?");
  } catch {
    // Then the real one will tell.
  }
}

const REHEARSAL: Assignment = {
  task: taskSchema.parse({
    id: "rehearsal",
    featureId: "rehearsal",
    featureSlug: "rehearsal",
    key: "rehearsal",
    kind: "build",
    title: "Rehearsal",
    description: "",
    priority: 10,
    limits: DEFAULT_LIMITS,
  }),
  attempt: 1,
  baseCommit: "0".repeat(40),
  swarmKey: "rehearsal/rehearsal/work",
  checks: [],
  model: "none",
  gatewayKey: "none",
  maxTokens: 1,
  temperature: 0,
};
