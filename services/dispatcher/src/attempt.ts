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
import { makeAttemptFiles } from "./attempt-files.ts";
import { collect, type Collected } from "./collect.ts";
import { decideEnd } from "./decide-end.ts";
import { runAgent } from "./run-agent.ts";
import { salvage } from "./salvage.ts";
import { createTeller } from "./tell.ts";
import { openTranscript } from "./transcript.ts";
import type { Workshop } from "./workshop.ts";

export interface AttemptOrder {
  readonly task: Task;
  readonly round: number;
  readonly attempt: number;
  readonly context: JobContext;
}

export interface Attempted extends Collected {
  readonly baseCommit: string;
}

/** The sandbox's own clock is only the backstop of ours, which knows why it ends an attempt. */
export const BACKSTOP_MS = 120_000;

/**
 * Opens a sandbox, runs the agent in it, and takes in what it gives back. Throws when the attempt is to be handed
 * back (shutdown, or the job is another worker's by now); its sandbox is gone then.
 */
export async function runAttempt(shop: Workshop, order: AttemptOrder): Promise<Attempted> {
  const { task, attempt, round, context } = order;
  const { mirror } = shop;
  const startedAt = performance.now();
  const tell = createTeller(shop, task, attempt, context);
  const log = shop.log.child({ featureId: task.featureId, taskId: task.id, attempt });

  const [now] = await Promise.all([shop.connection.now(), mirror.fetch()]);
  const { baseCommit, target, mounts, bundles } = await shop.ground();

  await using stack = new AsyncDisposableStack();
  const files = await makeAttemptFiles(shop, task, bundles, attempt);
  stack.defer(() => rm(files.result, { force: true }));
  if (files.resolve !== null) stack.defer(() => rm(files.resolve ?? "", { force: true }));
  const transcript = stack.use(
    await openTranscript(join(shop.transcriptsDir, task.id, `${attempt}.jsonl`), (error) =>
      log.error({ err: error }, "the transcript cannot be written"),
    ),
  );
  refuseIfHandedBack(context.signal);

  const wallMs = Math.min(shop.wallMs, task.limits.wallMs);
  const labels = { swarm: shop.swarm, purpose: "agent", task: task.id, attempt: String(attempt) };
  const { agent, warm } = await shop.pool.take({ mounts, labels });
  const { sandbox } = agent;
  stack.defer(() => sandbox.terminate());
  failpoint("dispatcher.opened");
  await tell.started({ provider: shop.provider.name, sandboxId: sandbox.id, baseCommit, round });

  const assignment: Assignment = {
    task,
    attempt,
    baseCommit,
    swarmKey: swarmKey(task.featureSlug, task.key, ROLE_OF_KIND[task.kind]),
    checks: target.checks.gate,
    model: shop.model,
    gatewayKey: "",
    maxTokens: shop.maxTokens,
    temperature: shop.temperature,
    runtime: shop.runtime,
  };
  const { ticket, readyAt, atWorkAt, ...facts } = await runAgent(shop, {
    agent,
    assignment,
    files,
    transcript,
    wallMs,
    signal: context.signal,
    issue: (onExhausted) =>
      shop.gateway.issue({
        limits: task.limits,
        role: ROLE_OF_KIND[task.kind],
        expiresAt: Date.now() + wallMs + BACKSTOP_MS,
        budget: shop.budgets.of({
          featureId: task.featureId,
          attempt: { taskId: task.id, attempt, limits: task.limits },
        }),
        onCharge: tell.used,
        onExhausted(why, level) {
          tell.budgetReached(why, level);
          onExhausted();
        },
      }),
    onProgress: tell.progressed,
  });
  const result = decideEnd(facts);
  const metrics = {
    ...result.metrics,
    ...ticket.usage(),
    turns: ticket.calls(),
    durationMs: Math.round(performance.now() - startedAt),
  };
  const handoff: Handoff = { ...result, taskId: task.id, attempt, round, model: shop.model, metrics };
  if (context.signal.aborted && !facts.cancelled) {
    await tell.ended({ ...handoff, end: "lost", reason: `handed back: ${String(context.signal.reason)}` });
    refuseIfHandedBack(context.signal);
  }
  const kept = facts.overrun === null ? null : await salvage(sandbox, baseCommit, files.result);
  await sandbox.terminate();
  failpoint("dispatcher.collected");

  const from = { bundlePath: files.result, baseCommit };
  const collected = await collect(shop, kept === null ? handoff : { ...handoff, headCommit: kept }, from);
  const sinceSent = (at: number | null) =>
    at === null ? null : Math.round(now - context.sentAt + at - startedAt);
  await tell.ended(collected.handoff, {
    sandbox: { ...(await sandbox.figures()), warm },
    sentToReadyMs: sinceSent(readyAt),
    sentToWorkMs: sinceSent(atWorkAt),
  });
  log.info(
    { end: collected.handoff.end, reason: collected.handoff.reason, costUsd: metrics.costUsd },
    "attempt ended",
  );
  return { ...collected, baseCommit };
}

/** A job that is no longer ours must change nothing any more. A cancelled one still gets its handoff. */
function refuseIfHandedBack(signal: AbortSignal): void {
  if (!signal.aborted || signal.reason === "cancel") return;
  throw new Fault("internal", `the attempt was handed back: ${String(signal.reason)}`, { retryable: true });
}
