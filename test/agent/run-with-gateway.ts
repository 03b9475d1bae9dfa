import {
  ROLE_OF_KIND,
  type AgentResult,
  type Assignment,
  type Progress,
  type PutQuestion,
} from "@agentswarm/contracts";
import { questionIdOf } from "@agentswarm/contracts/node";
import { createRouter, resolveBackends } from "@agentswarm/llm";
import type { Sandbox } from "@agentswarm/sandbox";
import { createLogger } from "@agentswarm/service";
import type { AttemptFiles } from "../../services/dispatcher/src/attempt-files.ts";
import { watchDeadlines } from "../../services/dispatcher/src/deadlines.ts";
import { decideEnd } from "../../services/dispatcher/src/decide-end.ts";
import { openDoorMemory } from "../../services/dispatcher/src/door-memory.ts";
import { startElapsed } from "../../services/dispatcher/src/elapsed.ts";
import { createGateway } from "../../services/dispatcher/src/gateway/gateway.ts";
import { openNoteBox, type NoteBox } from "../../services/dispatcher/src/note-box.ts";
import { openQuestions } from "../../services/dispatcher/src/questions.ts";
import { runAgent } from "../../services/dispatcher/src/run-agent.ts";
import { startAgent } from "../../services/dispatcher/src/start-agent.ts";
import { UNLIMITED_BUDGET } from "../support/unlimited-budget.ts";
import { readTranscript, type TranscriptMessage } from "./read-transcript.ts";

/** The key of the backend, which an agent must never see. */
const BACKEND_KEY = "the-real-key";
const KEY_LIFETIME_MS = 600_000;
const DOOR_BYTES = 16 * 1_024 * 1_024;
const WRAP_UP_MS = 60_000;
const ANSWERED_WITHIN_MS = 60_000;

export interface GatewayRun {
  /** The dispatcher's decision. */
  readonly result: AgentResult;
  /** The result as the sandbox sent it. */
  readonly raw: unknown;
  /** Calls of the model. */
  readonly calls: number;
  readonly transcript: readonly TranscriptMessage[];
}

/** The dispatcher's part of one attempt: starts the agent in the sandbox and serves its door until it ends. */
export async function runWithGateway(options: {
  readonly sandbox: Sandbox;
  readonly files: AttemptFiles;
  readonly assignment: Omit<Assignment, "gatewayKey">;
  /** LLM_BASE_URL of the backend. */
  readonly modelUrl: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** What people say; by default nothing. */
  readonly notes?: NoteBox;
  /** Answers the agent's questions. Absent: nobody answers, and an attempt that asks is parked at once. */
  readonly answer?: (question: PutQuestion) => string;
}): Promise<GatewayRun> {
  const { assignment, files, signal, onProgress } = options;
  const { task, attempt, model, maxTokens } = assignment;
  const backends = resolveBackends(
    { LLM_BASE_URL: options.modelUrl, LLM_API_KEY: BACKEND_KEY, LLM_MODEL: model },
    {},
  );
  const log = createLogger({ service: "lab", level: "silent" });
  const gateway = createGateway(createRouter(backends), { model, maxTokens, log });
  const agent = startAgent(options.sandbox);
  using deadlines = watchDeadlines(task.limits, () => agent.child.kill());
  using key = gateway.issue({
    ids: { featureId: task.featureId, taskId: task.id, attempt },
    limits: task.limits,
    role: ROLE_OF_KIND[task.kind],
    budget: UNLIMITED_BUDGET,
    expiresAt: Date.now() + KEY_LIFETIME_MS,
    onExhausted: () => deadlines.endWithin(WRAP_UP_MS, "budget"),
  });
  const questions = openQuestions({
    taskId: task.id,
    round: 1,
    waitMs: () => (options.answer === undefined ? 0 : ANSWERED_WITHIN_MS),
    send(question) {
      const answers = questionIdOf(task.id, 1, question.ask);
      const text = options.answer?.(question);
      if (text !== undefined)
        questions.answer({ id: "n-1", by: "ada", via: "rest", at: 0, text, mode: "steer", answers });
    },
    hold: deadlines.hold,
    onParked: () => deadlines.endWithin(WRAP_UP_MS, "parked"),
  });
  const lines: Buffer[] = [];
  const facts = await runAgent({
    agent,
    files,
    gateway,
    memory: openDoorMemory({ bytes: DOOR_BYTES, doors: 1 }),
    key,
    notes: options.notes ?? openNoteBox({ before: [] }),
    deadlines,
    elapsed: startElapsed(0),
    assignment: { ...assignment, gatewayKey: key.key },
    transcript: { append: async (line) => void lines.push(line) },
    signal,
    onProgress,
    questions,
  });
  return {
    result: decideEnd(facts),
    raw: facts.result,
    calls: key.calls(),
    transcript: readTranscript(Buffer.concat(lines).toString()),
  };
}
