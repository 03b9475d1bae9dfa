import { setTimeout as sleep } from "node:timers/promises";
import type { Assignment, Progress } from "@agentswarm/contracts";
import { plainText } from "@agentswarm/contracts";
import { watchDeadlines } from "./deadlines.ts";
import type { AttemptFacts } from "./decide-end.ts";
import type { Ticket } from "./gateway/ticket.ts";
import type { AttemptFiles } from "./attempt-files.ts";
import { serveDoor } from "./serve-door.ts";
import type { StartedAgent } from "./start-agent.ts";
import type { Transcript } from "./transcript.ts";
import type { Workshop } from "./workshop.ts";

export interface AgentRun {
  readonly agent: StartedAgent;
  readonly assignment: Assignment;
  readonly files: AttemptFiles;
  readonly transcript: Transcript;
  readonly wallMs: number;
  readonly signal: AbortSignal;
  /** Makes the run's key; `onExhausted` must be called when a bound is reached. */
  readonly issue: (onExhausted: () => void) => Ticket;
  readonly onProgress: (progress: Progress) => void;
}

/** What an agent gets to hand over what it has, once its budget is used up. */
const LAST_WORDS_MS = 60_000;
/** How long after its door a runner that ends by itself may take to be gone. */
const EXIT_GRACE_MS = 2_000;

export interface AgentRan extends AttemptFacts {
  readonly ticket: Ticket;
  /** When the loaded agent had its task, by performance.now(); null when it never asked for it. */
  readonly readyAt: number | null;
  /** When it first asked its model, likewise. */
  readonly atWorkAt: number | null;
}

/** Gives a waiting agent its task and answers it until it has handed over, ended, overrun a clock or is to be stopped. */
export async function runAgent(shop: Workshop, run: AgentRun): Promise<AgentRan> {
  const { agent, signal } = run;
  const { child } = agent;
  await using stack = new AsyncDisposableStack();
  stack.defer(() => agent.stop());
  const limits = { wallMs: run.wallMs, idleMs: run.assignment.task.limits.idleMs };
  const deadlines = stack.use(watchDeadlines(limits, () => child.kill()));
  const ticket = run.issue(() => deadlines.endWithin(LAST_WORDS_MS));
  stack.defer(() => ticket.revoke());
  let readyAt: number | null = null;
  let atWorkAt: number | null = null;
  const served = serveDoor({
    assignment: { ...run.assignment, gatewayKey: ticket.key },
    files: run.files,
    transcript: run.transcript,
    gateway: shop.gateway,
    ticket,
    onSign: () => deadlines.touch(),
    onCall() {
      atWorkAt ??= performance.now();
      return deadlines.hold();
    },
    onProgress: run.onProgress,
  });
  agent.serve(served.handler);
  void agent.asked.then(() => (readyAt = performance.now()));
  const onAbort = () => child.kill();
  signal.addEventListener("abort", onAbort);
  stack.defer(() => signal.removeEventListener("abort", onAbort));
  if (signal.aborted) onAbort();

  await Promise.race([served.finished, child.exit, agent.gone]);
  const stopped = signal.aborted || deadlines.overrun() !== null || served.result() !== undefined;
  // Something lives on in there that no longer speaks the protocol: nothing more can come of it.
  const doorBroken =
    !stopped && (await Promise.race([child.exit, sleep(EXIT_GRACE_MS, null, { ref: false })])) === null;
  child.kill();
  const exit = await child.exit;
  return {
    ticket,
    readyAt,
    atWorkAt,
    result: served.result(),
    hasBundle: served.hasBundle(),
    exit,
    cancelled: signal.aborted && signal.reason === "cancel",
    overrun: served.result() === undefined ? deadlines.overrun() : null,
    doorBroken,
    overBudget: ticket.exhausted(),
    usedUp: ticket.usedUp(),
    modelUnavailable: ticket.unavailable(),
    stderrTail: plainText(agent.stderrTail()),
  };
}
