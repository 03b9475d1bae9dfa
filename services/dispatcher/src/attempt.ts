import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  Fault,
  ROLE_OF_KIND,
  swarmKey,
  type Assignment,
  type Handoff,
  type Task,
} from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import type { JobContext } from "@agentswarm/queue";
import { makeAttemptFiles, type AttemptFiles } from "./attempt-files.ts";
import type { AttemptEvents } from "./attempt-events.ts";
import type { AttemptBase } from "./base.ts";
import type { DispatcherContext, DispatcherRepo } from "./context.ts";
import { watchDeadlines, type Deadlines } from "./deadlines.ts";
import { decideEnd } from "./decide-end.ts";
import { decideRecipient } from "./decide-recipient.ts";
import { startElapsed, type Elapsed } from "./elapsed.ts";
import type { RanAttempt } from "./ended-attempt.ts";
import type { AttemptKey } from "./gateway/attempt-key.ts";
import type { TakenAgent } from "./pool.ts";
import { runAgent, type AgentRan } from "./run-agent.ts";
import { salvage } from "./salvage.ts";
import { takeCommits } from "./take-commits.ts";
import { openTranscript, type Transcript } from "./transcript.ts";

export interface AttemptOrder {
  readonly task: Task;
  readonly round: number;
  readonly attempt: number;
  readonly job: JobContext;
  readonly events: AttemptEvents;
}

/** The sandbox's own time limit is longer than ours by this, because ours records why it ended the attempt. */
export const SANDBOX_GRACE_MS = 120_000;
/** The time that an agent gets to give its result once its budget is used up. */
const WRAP_UP_MS = 60_000;

/**
 * Runs one attempt of a task. Throws when the job was released (shutdown, or another worker has taken it over): the
 * attempt changes nothing then, and the next delivery opens another one. Its sandbox is gone in any case.
 */
export async function runAttempt(ctx: DispatcherContext, order: AttemptOrder): Promise<RanAttempt> {
  await using stack = new AsyncDisposableStack();
  const prepared = await prepare(ctx, order, stack);
  const opened = await open(ctx, prepared, stack);
  const authorized = authorize(ctx, opened);
  const ran = await run(ctx, authorized);
  const handoff = await judge(ctx, authorized, ran);
  // Awaited here: the stack removes the attempt's files and its sandbox.
  return await collect(authorized, ran, handoff);
}

interface Prepared extends AttemptOrder {
  readonly repo: DispatcherRepo;
  readonly elapsed: Elapsed;
  readonly base: AttemptBase;
  readonly files: AttemptFiles;
  readonly transcript: Transcript;
  readonly wallMs: number;
}

/** Makes everything that the attempt needs before it has a sandbox. */
async function prepare(
  ctx: DispatcherContext,
  order: AttemptOrder,
  stack: AsyncDisposableStack,
): Promise<Prepared> {
  const { task, attempt, job } = order;
  const repo = ctx.repo(task.repoId);
  const elapsed = startElapsed((await ctx.connection.now()) - job.sentAt);
  await repo.mirror.fetch();
  const base = await repo.base();
  const files = await makeAttemptFiles(repo, { task, attempt, bundles: base.bundles, dir: ctx.bundlesDir });
  for (const file of [files.result, files.resolve])
    if (file !== null) stack.defer(() => rm(file, { force: true }));
  const ids = { featureId: task.featureId, taskId: task.id, attempt };
  const transcript = stack.use(
    await openTranscript(join(ctx.transcriptsDir, task.id, `${attempt}.jsonl`), (error) =>
      ctx.log.error({ ...ids, err: error }, "transcript cannot be written"),
    ),
  );
  return {
    ...order,
    repo,
    elapsed,
    base,
    files,
    transcript,
    wallMs: Math.min(ctx.wallMs, task.limits.wallMs),
  };
}

interface Opened extends Prepared, TakenAgent {}

/** Takes a sandbox with a loaded agent from the pool, or opens one. */
async function open(
  ctx: DispatcherContext,
  prepared: Prepared,
  stack: AsyncDisposableStack,
): Promise<Opened> {
  const { task, attempt, round, job, base } = prepared;
  throwIfReleased(job.signal);
  const labels = { swarm: ctx.swarm, purpose: "agent", task: task.id, attempt: String(attempt) };
  const taken = await ctx.pool.take({ mounts: base.mounts, labels });
  const { sandbox } = taken.agent;
  stack.defer(() => sandbox.terminate());
  failpoint("dispatcher.opened");
  const { baseCommit } = base;
  await prepared.events.started({ provider: ctx.provider.name, sandboxId: sandbox.id, baseCommit, round });
  return { ...prepared, ...taken };
}

interface Authorized extends Opened {
  readonly deadlines: Deadlines;
  readonly key: AttemptKey;
  readonly assignment: Assignment;
}

/** Starts the deadlines and issues the key to the model, which make the assignment complete. */
function authorize(ctx: DispatcherContext, opened: Opened): Authorized {
  const { task, attempt, agent, base, wallMs, events } = opened;
  const { limits, featureId } = task;
  const role = ROLE_OF_KIND[task.kind];
  const deadlines = watchDeadlines({ wallMs, idleMs: limits.idleMs }, () => agent.child.kill());
  const key = ctx.gateway.issue({
    ids: { featureId, taskId: task.id, attempt },
    limits,
    role,
    expiresAt: Date.now() + wallMs + SANDBOX_GRACE_MS,
    budget: ctx.budgets.of({ featureId, attempt: { taskId: task.id, attempt, limits } }),
    onCharge: events.used,
    onExhausted(why, level) {
      events.budgetReached(why, level);
      deadlines.endWithin(WRAP_UP_MS);
    },
  });
  const assignment: Assignment = {
    task,
    attempt,
    baseCommit: base.baseCommit,
    swarmKey: swarmKey(task.featureSlug, task.key, role),
    checks: base.target.checks.gate,
    model: ctx.model,
    gatewayKey: key.key,
    maxTokens: ctx.maxTokens,
    temperature: ctx.temperature,
    runtime: ctx.runtime,
  };
  return { ...opened, deadlines, key, assignment };
}

/** Runs the agent. Its key and its deadlines end with it. */
async function run(ctx: DispatcherContext, authorized: Authorized): Promise<AgentRan> {
  using _deadlines = authorized.deadlines;
  using _key = authorized.key;
  const { job, events } = authorized;
  // Awaited here: the key must stay valid until the agent has ended.
  return await runAgent({
    ...authorized,
    gateway: ctx.gateway,
    signal: job.signal,
    onProgress: events.progressed,
  });
}

/** Decides how the attempt ended, and measures what its calls to the model cost. */
async function judge(ctx: DispatcherContext, authorized: Authorized, ran: AgentRan): Promise<Handoff> {
  const { task, attempt, round, job, key, elapsed, events } = authorized;
  const result = decideEnd(ran);
  const metrics = {
    ...result.metrics,
    ...key.usage(),
    turns: key.calls(),
    durationMs: elapsed.sinceStartMs(),
  };
  const handoff: Handoff = { ...result, taskId: task.id, attempt, round, model: ctx.model, metrics };
  if (job.signal.aborted && !ran.cancelled) {
    const reason = `the job was released: ${String(job.signal.reason)}`;
    await events.ended({ ...handoff, end: "lost", reason });
    throwIfReleased(job.signal);
  }
  return handoff;
}

/** Takes the attempt's commits out of its sandbox and into the store. */
async function collect(authorized: Authorized, ran: AgentRan, handoff: Handoff): Promise<RanAttempt> {
  const { repo, base, files, agent, warm, events } = authorized;
  const { baseCommit } = base;
  const { sandbox } = agent;
  const salvaged = ran.overrun === null ? null : await salvage(sandbox, baseCommit, files.result);
  await sandbox.terminate();
  failpoint("dispatcher.collected");
  const claimed = salvaged === null ? handoff : { ...handoff, headCommit: salvaged };
  const taken = await takeCommits(repo, claimed, { bundlePath: files.result, baseCommit });
  const ended: RanAttempt = { kind: "ran", ...taken, baseCommit };
  await events.ended(taken.handoff, {
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
