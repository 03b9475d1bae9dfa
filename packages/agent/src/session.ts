import type {
  AgentClaim,
  AgentQuestion,
  Assignment,
  HeardNote,
  Note,
  Progress,
  QuestionAnswer,
} from "@agentswarm/contracts";
import type { ModelRelay } from "./model-relay.ts";
import type { SessionStop } from "./watch-limits.ts";

/**
 * How one prompt ended: the agent submitted, the runner stopped it, the model or the agent failed, or it waits for the
 * answer to a question.
 */
export type PromptEnd =
  | { kind: "submitted"; claim: AgentClaim }
  | { kind: "stopped"; stop: SessionStop }
  | { kind: "parked" }
  | { kind: "failed"; reason: string };

/** The conversation of one agent about one task. A further prompt continues the conversation. */
export interface Session {
  /** Notes that wait are a part of the prompt. A prompt ends only when no note waits, or a limit was reached. */
  prompt(text: string): Promise<PromptEnd>;
  /** Says something to the agent, at any time: it hears it as the note's mode says. */
  steer(note: Note): void;
  /** Whether notes wait that the model was not sent yet. */
  hasNotes(): boolean;
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
  /** Puts a question to people, and waits for the answer. */
  readonly ask: (question: AgentQuestion) => Promise<QuestionAnswer>;
  readonly onProgress: (progress: Progress) => void;
  /** Called when the model is sent a note. */
  readonly onHeard: (one: HeardNote) => void;
  readonly onTranscript: (entry: object) => void;
}
