import {
  Fault,
  handoffSchema,
  jobId,
  maskSecretsIn,
  type Handoff,
  type PutQuestion,
} from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { authorizeAttempt, type AttemptAccess } from "./authorize-attempt.ts";
import type { DispatcherContext } from "./context.ts";
import { decideEnd } from "./decide-end.ts";
import { decideRecipient } from "./decide-recipient.ts";
import type { RanAttempt } from "./ended-attempt.ts";
import type { TakenAgent } from "./pool.ts";
import { persevere } from "./persevere.ts";
import { prepareAttempt, type AttemptOrder, type PreparedAttempt } from "./prepare-attempt.ts";
import { defaultsAmong, openQuestions, type Questions } from "./questions.ts";
import { runAgent, type AgentRan } from "./run-agent.ts";
import { salvage } from "./salvage.ts";
import { takeCommits, waitsForPeople } from "./take-commits.ts";

/**
 * Runs one attempt of a task. Throws when the job was released (shutdown, or another worker has taken it over): the
 * attempt changes nothing then, and the next delivery opens another one. Its sandbox is gone in any case.
 */
export async function runAttempt(ctx: DispatcherContext, order: AttemptOrder): Promise<RanAttempt> {
  await using stack = new AsyncDisposableStack();
  const prepared = await prepareAttempt(ctx, order, stack);
  const opened = await open(ctx, prepared, stack);
  const access = authorizeAttempt(ctx, prepared, opened.agent);
  const questions = openAttemptQuestions(ctx, opened, access);
  listen(opened, questions);
  const ran = await run(ctx, opened, access, questions);
  const handoff = await judge(ctx, opened, access, ran);
  // Awaited here: the stack removes the attempt's files and its sandbox.
  return await collect(opened, ran, handoff, questions);
}

interface OpenedAttempt extends PreparedAttempt, TakenAgent {}

/** Takes a sandbox with a loaded agent from the pool, or opens one. */
async function open(
  ctx: DispatcherContext,
  prepared: PreparedAttempt,
  stack: AsyncDisposableStack,
): Promise<OpenedAttempt> {
  const { task, attempt, round, job, base } = prepared;
  throwIfReleased(job.signal);
  const labels = { swarm: ctx.swarm, purpose: "agent", task: task.id, attempt: String(attempt) };
  const taken = await ctx.pool.take({ mounts: base.mounts, labels });
  const { sandbox } = taken.agent;
  stack.defer(() => sandbox.terminate());
  failpoint("dispatcher.opened");
  const { baseCommit } = base;
  await prepared.events.started({ provider: ctx.provider.name, sandboxId: sandbox.id, baseCommit, round });
  await job.goesOn();
  return { ...prepared, ...taken };
}

/** The time that the agent of a parked attempt gets to hand over its work. What is left then is taken from its sandbox. */
const PARK_MS = 15_000;

function openAttemptQuestions(
  { sender, log, questionWaitMs }: DispatcherContext,
  { task, attempt, round }: OpenedAttempt,
  { deadlines }: AttemptAccess,
): Questions {
  const ids = { featureId: task.featureId, taskId: task.id, attempt };
  const send = async (question: PutQuestion, nth: number) => {
    const id = jobId.question(task.id, attempt, nth);
    await sender.send("plan", { kind: "question", ...ids, round, nth, ...question }, { jobId: id });
  };
  return openQuestions({
    taskId: task.id,
    round,
    // In time before its wall time is over, which would count as a failed attempt.
    waitMs: () => Math.min(questionWaitMs, deadlines.wallLeftMs() - PARK_MS),
    hold: deadlines.hold,
    send(question, nth) {
      log.info({ ...ids, nth }, "agent asks a question");
      // The handoff of a parked attempt names its question again.
      send(question, nth).catch((error: unknown) =>
        log.error({ ...ids, nth, err: error }, "question could not be sent"),
      );
    },
    onParked() {
      log.info(ids, "nobody has answered: attempt parked");
      deadlines.endWithin(PARK_MS, "parked");
    },
  });
}

/** Passes on what people say. What was said before the attempt had its sandbox has waited until here. */
function listen({ job, notes }: OpenedAttempt, questions: Questions): void {
  for (const note of notes.before) questions.answer(note);
  job.onSignal((signal) => notes.add(signal.notes.filter((note) => !questions.answer(note))));
}

/** Runs the agent. Its key and its deadlines end with it. */
async function run(
  { gateway, memory }: DispatcherContext,
  opened: OpenedAttempt,
  access: AttemptAccess,
  questions: Questions,
): Promise<AgentRan> {
  using _deadlines = access.deadlines;
  using _key = access.key;
  const { job, events } = opened;
  // Awaited here: the key must stay valid until the agent has ended.
  const ran = await runAgent({
    ...opened,
    ...access,
    gateway,
    memory,
    questions,
    signal: job.signal,
    onProgress: events.progressed,
  });
  // The disk had no room for the agent's commits, so its result is not its own.
  if (ran.hostFault !== null && !ran.hasBundle && !job.signal.aborted) throw ran.hostFault;
  return ran;
}

/** Decides how the attempt ended, and measures what its calls to the model cost. */
async function judge(
  { model }: DispatcherContext,
  { task, attempt, round, job, elapsed, events, notes }: OpenedAttempt,
  { key }: AttemptAccess,
  ran: AgentRan,
): Promise<Handoff> {
  const { heard: claimed = [], ...result } = decideEnd(ran);
  // A report of the runner may have got lost in the attempt's end.
  for (const one of claimed) notes.hear(one);
  const metrics = {
    ...result.metrics,
    ...key.usage(),
    turns: key.calls(),
    durationMs: elapsed.sinceStartMs(),
  };
  const ids = { taskId: task.id, attempt, round, model };
  // An agent sees the target's keys and its own, and may name them.
  const handoff: Handoff = handoffSchema.parse(
    maskSecretsIn({ ...result, ...ids, metrics, heard: notes.heard() }),
  );
  if (job.signal.aborted && !ran.cancelled) {
    const reason = `the job was released: ${String(job.signal.reason)}`;
    await events.ended({ ...handoff, end: "lost", reason });
    throwIfReleased(job.signal);
  }
  return handoff;
}

/** Takes the attempt's commits out of its sandbox and into the store. */
async function collect(
  { task, repo, base, files, agent, warm, events, job, answers }: OpenedAttempt,
  ran: AgentRan,
  handoff: Handoff,
  questions: Questions,
): Promise<RanAttempt> {
  const { baseCommit } = base;
  const { sandbox } = agent;
  const isLeft = ran.overrun !== null || (ran.parked !== null && ran.result === undefined);
  const salvaged = isLeft ? await salvage(sandbox, baseCommit, files.result) : null;
  await sandbox.terminate();
  failpoint("dispatcher.collected");
  const claimed: Handoff = {
    ...handoff,
    headCommit: salvaged ?? handoff.headCommit,
    ...(waitsForPeople(handoff) ? { waitsFor: { baseCommit, question: ran.parked } } : {}),
  };
  const byDefault = [...defaultsAmong(answers), ...questions.byDefault()];
  const from = { bundlePath: files.result, baseCommit, scope: task.scope };
  const ended = await persevere(job, async (): Promise<RanAttempt> => {
    // The paths of its commits are an agent's words too.
    const taken = maskSecretsIn(await takeCommits(repo, claimed, from));
    // The planner looks for merge requests of a cancelled task once, so none is sent after a cancel.
    const isCancelled = job.signal.reason === "cancel" && !ran.cancelled;
    const passed = isCancelled ? { ...taken, handoff: cancelled(taken.handoff) } : taken;
    const one: RanAttempt = { kind: "ran", ...passed, baseCommit, byDefault };
    if (one.stored) await repo.finished.keep(one);
    failpoint("dispatcher.kept");
    return one;
  });
  await events.ended(ended.handoff, {
    sentTo: decideRecipient(ended).queue,
    sandbox: { ...(await sandbox.figures()), warm },
    sentToReadyMs: ran.sentToReadyMs,
    sentToWorkMs: ran.sentToWorkMs,
  });
  return ended;
}

/** A released job must change nothing any more. A cancelled job still gets its handoff. */
function throwIfReleased(signal: AbortSignal): void {
  if (!signal.aborted || signal.reason === "cancel") return;
  throw new Fault("internal", `the job was released: ${String(signal.reason)}`, { retryable: true });
}

/** The handoff of an agent that had ended its work when its task was cancelled. */
function cancelled(handoff: Handoff): Handoff {
  const reason = "cancelled before its commits were passed on";
  return { ...handoff, end: "cancelled", outcome: "failed", reason };
}
