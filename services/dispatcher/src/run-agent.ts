import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Assignment, Progress } from "@agentswarm/contracts";
import { openDoor, type Sandbox } from "@agentswarm/sandbox";
import { plainText } from "@agentswarm/contracts";
import { watchDeadlines } from "./deadlines.ts";
import type { AttemptFacts } from "./decide-end.ts";
import type { Ticket } from "./gateway/ticket.ts";
import { serveDoor, type Files } from "./serve-door.ts";
import type { Transcript } from "./transcript.ts";
import type { Workshop } from "./workshop.ts";

export interface AgentRun {
  readonly sandbox: Sandbox;
  readonly assignment: Assignment;
  readonly files: Files;
  readonly transcript: Transcript;
  readonly wallMs: number;
  readonly signal: AbortSignal;
  /** Makes the run's key; `onExhausted` must be called when a bound is reached. */
  readonly issue: (onExhausted: () => void) => Ticket;
  readonly onProgress: (progress: Progress) => void;
}

/** Where the agent's one file is seen inside. */
export const AGENT_AT = "agent.mjs";

/** What an agent gets to hand over what it has, once its budget is used up. */
const LAST_WORDS_MS = 60_000;
/** How long after its door a runner that ends by itself may take to be gone. */
const EXIT_GRACE_MS = 2_000;
const STDERR_CHARS = 4_000;

/** Runs the agent in its sandbox until it has handed over, ended, overrun a clock or is to be stopped. */
export async function runAgent(shop: Workshop, run: AgentRun): Promise<AttemptFacts & { ticket: Ticket }> {
  const { sandbox, signal } = run;
  await using stack = new AsyncDisposableStack();
  const child = sandbox.exec(["node", join(sandbox.workDir, AGENT_AT)]);
  stack.defer(async () => {
    child.kill();
    await child.exit;
  });
  const errors = keepTail(child.stderr);
  const limits = { wallMs: run.wallMs, idleMs: run.assignment.task.limits.idleMs };
  const deadlines = stack.use(watchDeadlines(limits, () => child.kill()));
  const ticket = run.issue(() => deadlines.endWithin(LAST_WORDS_MS));
  stack.defer(() => ticket.revoke());
  const served = serveDoor({
    assignment: { ...run.assignment, gatewayKey: ticket.key },
    files: run.files,
    transcript: run.transcript,
    gateway: shop.gateway,
    ticket,
    onSign: () => deadlines.touch(),
    onCall: () => deadlines.hold(),
    onProgress: run.onProgress,
  });
  const door = openDoor(child, served.handler);
  stack.defer(() => door.close());
  const onAbort = () => child.kill();
  signal.addEventListener("abort", onAbort);
  stack.defer(() => signal.removeEventListener("abort", onAbort));
  if (signal.aborted) onAbort();

  await Promise.race([served.finished, child.exit, door.closed]);
  const stopped = signal.aborted || deadlines.overrun() !== null || served.result() !== undefined;
  // Something lives on in there that no longer speaks the protocol: nothing more can come of it.
  const doorBroken =
    !stopped && (await Promise.race([child.exit, sleep(EXIT_GRACE_MS, null, { ref: false })])) === null;
  child.kill();
  const exit = await child.exit;
  return {
    ticket,
    result: served.result(),
    hasBundle: served.hasBundle(),
    exit,
    cancelled: signal.aborted && signal.reason === "cancel",
    overrun: served.result() === undefined ? deadlines.overrun() : null,
    doorBroken,
    overBudget: ticket.exhausted(),
    modelUnavailable: ticket.unavailable(),
    mayChangeNothing: run.assignment.task.kind === "command",
    stderrTail: plainText(errors()),
  };
}

function keepTail(stream: NodeJS.ReadableStream): () => string {
  let tail = "";
  stream.on("data", (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-STDERR_CHARS);
  });
  return () => tail;
}
