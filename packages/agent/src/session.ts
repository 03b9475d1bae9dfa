import type { AgentClaim, Assignment, Progress } from "@agentswarm/contracts";
import type { Relay } from "./door.ts";
import type { Stop } from "./limits.ts";

/** How one prompt ended: with a handoff, because a bound was reached, or because the model or the agent failed. */
export type Turned =
  | { kind: "submitted"; claim: AgentClaim }
  | { kind: "stopped"; stop: NonNullable<Stop> }
  | { kind: "failed"; reason: string };

/** One agent at work on one task; a second prompt goes on where the first ended. */
export interface Session {
  prompt(text: string): Promise<Turned>;
  readonly turns: number;
  readonly toolCalls: number;
}

export interface SessionOptions {
  readonly assignment: Assignment;
  /** The repository. */
  readonly cwd: string;
  /** The folder around it, for what is none of the repository's business. */
  readonly workDir: string;
  readonly relay: Relay;
  readonly system: string;
  readonly onProgress: (progress: Progress) => void;
  readonly onTranscript: (entry: object) => void;
}
