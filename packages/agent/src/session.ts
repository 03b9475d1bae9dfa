import type { AgentClaim, Assignment, Progress } from "@agentswarm/contracts";
import type { ModelRelay } from "./model-relay.ts";
import type { SessionStop } from "./watch-limits.ts";

/** How one prompt ended: the agent submitted, the runner stopped it, or the model or the agent failed. */
export type PromptEnd =
  | { kind: "submitted"; claim: AgentClaim }
  | { kind: "stopped"; stop: SessionStop }
  | { kind: "failed"; reason: string };

/** The conversation of one agent about one task. A further prompt continues the conversation. */
export interface Session {
  prompt(text: string): Promise<PromptEnd>;
  /** Answers of the model so far. */
  readonly turns: number;
  readonly toolCalls: number;
}

export interface SessionOptions {
  readonly assignment: Assignment;
  /** The repository. */
  readonly cwd: string;
  /** The folder around the repository, for files that must not be committed. */
  readonly workDir: string;
  readonly relay: ModelRelay;
  readonly system: string;
  readonly onProgress: (progress: Progress) => void;
  readonly onTranscript: (entry: object) => void;
}
