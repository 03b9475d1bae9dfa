import { ROLE_OF_KIND, swarmKey, type Assignment } from "@agentswarm/contracts";
import type { DispatcherContext } from "./context.ts";
import { watchDeadlines, type Deadlines } from "./deadlines.ts";
import type { AttemptKey } from "./gateway/attempt-key.ts";
import type { PreparedAttempt } from "./prepare-attempt.ts";
import type { StartedAgent } from "./start-agent.ts";

/** The sandbox's own time limit is longer than ours by this, because ours records why it ended the attempt. */
export const SANDBOX_GRACE_MS = 120_000;
/** The time that an agent gets to give its result once its budget is used up. */
const WRAP_UP_MS = 60_000;

/** What one attempt may do: for how long, and with which key to the model. */
export interface AttemptAccess {
  readonly deadlines: Deadlines;
  readonly key: AttemptKey;
  readonly assignment: Assignment;
}

/** Starts the deadlines and issues the key to the model, which make the assignment complete. */
export function authorizeAttempt(
  ctx: DispatcherContext,
  { task, attempt, base, wallMs, events, notes, upon, answers }: PreparedAttempt,
  agent: StartedAgent,
): AttemptAccess {
  const { limits, featureId } = task;
  const role = ROLE_OF_KIND[task.kind];
  const deadlines = watchDeadlines({ wallMs, idleMs: limits.idleMs }, () => agent.child.kill());
  const key = ctx.gateway.issue({
    ids: { featureId, taskId: task.id, attempt },
    limits,
    role,
    expiresAt: performance.now() + wallMs + SANDBOX_GRACE_MS,
    budget: ctx.budgets.of({ featureId, attempt: { taskId: task.id, attempt, limits } }),
    onCharge: events.used,
    onExhausted(why, level) {
      events.budgetReached(why, level);
      deadlines.endWithin(WRAP_UP_MS, "budget");
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
    ...(notes.before.length === 0 ? {} : { notes: [...notes.before] }),
    runtime: ctx.runtime,
    ...(upon === null ? {} : { upon }),
    ...(answers.length === 0 ? {} : { answers: [...answers] }),
  };
  return { deadlines, key, assignment };
}
