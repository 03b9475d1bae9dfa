import { setTimeout as sleep } from "node:timers/promises";
import { newTraceparent, plainText, type Assignment, type Fault, type Progress } from "@agentswarm/contracts";
import { currentTrace, withTrace } from "@agentswarm/contracts/node";
import type { AttemptFiles } from "./attempt-files.ts";
import type { Deadlines } from "./deadlines.ts";
import type { AttemptFacts } from "./decide-end.ts";
import type { DoorMemory } from "./door-memory.ts";
import type { Elapsed } from "./elapsed.ts";
import type { AttemptKey } from "./gateway/attempt-key.ts";
import type { Gateway } from "./gateway/gateway.ts";
import type { NoteBox } from "./note-box.ts";
import type { Questions } from "./questions.ts";
import { serveDoor } from "./serve-door.ts";
import type { StartedAgent } from "./start-agent.ts";
import type { Transcript } from "./transcript.ts";

export interface AgentRun {
  readonly agent: StartedAgent;
  readonly assignment: Assignment;
  readonly files: AttemptFiles;
  readonly transcript: Pick<Transcript, "append">;
  readonly gateway: Gateway;
  readonly memory: DoorMemory;
  readonly notes: NoteBox;
  /** The key that the assignment names. */
  readonly key: AttemptKey;
  /** Kill the agent's process when they are overrun. */
  readonly deadlines: Deadlines;
  readonly elapsed: Elapsed;
  /** Kills the agent when it is aborted; reason "cancel": the task was cancelled. */
  readonly signal: AbortSignal;
  readonly questions: Questions;
  readonly onProgress: (progress: Progress) => void;
}

/** How long a runner that ends by itself may take to exit after it has closed its door. */
const EXIT_GRACE_MS = 2_000;

export interface AgentRan extends AttemptFacts {
  /** The fault of this machine for which the agent's commits were not received; null when there was none. */
  readonly hostFault: Fault | null;
  /** From the sending of the task until its loaded agent had it; null when the agent never asked for it. */
  readonly sentToReadyMs: number | null;
  /** From the sending of the task until its agent first asked the model; null when it never did. */
  readonly sentToWorkMs: number | null;
}

/**
 * Gives a waiting agent its task and serves its door until it has given its result, has exited, has overrun a deadline
 * or is aborted. Its process has ended then; its sandbox remains.
 */
export async function runAgent(run: AgentRun): Promise<AgentRan> {
  const { agent, deadlines, elapsed, key, signal } = run;
  const { child } = agent;
  await using stack = new AsyncDisposableStack();
  stack.defer(() => agent.stop());
  let sentToReadyMs: number | null = null;
  let sentToWorkMs: number | null = null;
  const door = serveDoor({
    assignment: run.assignment,
    files: run.files,
    transcript: run.transcript,
    gateway: run.gateway,
    memory: run.memory,
    key,
    notes: run.notes,
    onRequest: () => deadlines.touch(),
    onCall() {
      sentToWorkMs ??= elapsed.sinceSentMs();
      return deadlines.hold();
    },
    onProgress: run.onProgress,
    questions: run.questions,
  });
  // The session of the door was opened by the pool, in another async context than this attempt's.
  const trace = currentTrace() ?? newTraceparent();
  agent.serve((stream, headers) => withTrace(trace, () => door.handler(stream, headers)));
  void agent.asked.then(() => (sentToReadyMs = elapsed.sinceSentMs()));
  const onAbort = () => child.kill();
  signal.addEventListener("abort", onAbort);
  stack.defer(() => signal.removeEventListener("abort", onAbort));
  if (signal.aborted) onAbort();

  await Promise.race([door.finished, child.exit, agent.gone]);
  const stopped =
    signal.aborted || deadlines.overrun() !== null || door.result() !== undefined || door.exceeded() !== null;
  // The process lives on but its door is closed: it can give no result any more.
  const doorBroken =
    !stopped && (await Promise.race([child.exit, sleep(EXIT_GRACE_MS, null, { ref: false })])) === null;
  child.kill();
  const exit = await child.exit;
  return {
    sentToReadyMs,
    sentToWorkMs,
    result: door.result(),
    hasBundle: door.hasBundle(),
    hostFault: door.hostFault(),
    exit,
    parked: run.questions.parked(),
    cancelled: signal.aborted && signal.reason === "cancel",
    overrun: door.result() === undefined ? deadlines.overrun() : null,
    doorBroken,
    doorExceeded: door.exceeded(),
    overBudget: key.exhausted(),
    usedUp: key.usedUp(),
    modelUnavailable: key.unavailable(),
    reached: agent.sandbox.reached?.() ?? null,
    stderrTail: plainText(agent.stderrTail()),
  };
}
