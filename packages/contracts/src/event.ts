import { z } from "zod";
import { idSchema } from "./ids.ts";

/** Every event type, past tense. */
export const EVENT_TYPES = [
  "feature.submitted",
  "feature.changed",
  "plan.made",
  "plan.rejected",
  "task.planned",
  "task.sent",
  "task.changed",
  "attempt.started",
  "attempt.progressed",
  "attempt.ended",
  "landing.landed",
  "landing.conflicted",
  "landing.rejected",
  "landing.held",
  "gate.flaked",
  "sweep.finished",
  "trunk.green",
  "model.used",
  "budget.reached",
  "backend.opened",
  "backend.closed",
  "message.buried",
  "service.started",
  "service.stopped",
] as const;

/**
 * What happened, for people. `id` is derived from what it tells (never random), so that the same event
 * sent twice is one event. `data` depends on `type`:
 *
 * - `feature.submitted` the FeatureSubmission · `feature.changed` {status, reason, counts, budget?, forecast}
 * - `plan.made` {revision, tasks} · `plan.rejected` {reason}
 * - `task.planned` the Task · `task.sent` {round} · `task.changed` {status, reason?, round, attemptsUsed}
 * - `attempt.started` {provider, sandboxId, baseCommit, round} · `attempt.progressed` {turn, tool?, text?}
 * - `attempt.ended` the Handoff, sandbox? {its figures, warm}, sentToReadyMs?, sentToWorkMs?
 * - `landing.landed` {commit, tree, group, title, model, costUsd} · `landing.conflicted` {paths[]}
 * - `landing.rejected` {check, outputTail} · `landing.held` {why}
 * - `gate.flaked` {check, tree, outputTail}: red, then green on the same tree
 * - `sweep.finished` the Sweep · `trunk.green` {commit}
 * - `model.used` {role, model, backend, tokensIn, tokensOut, tokensCached, costUsd, estimated}: which model and
 *   backend answered, at its prices
 * - `backend.opened` {backend, why}: its breaker did, and it gets no calls · `backend.closed` {backend}
 * - `budget.reached` {level, why}: a call to a model was refused, or a feature began to wait
 * - `message.buried` {queue, jobId, code, message} · `service.started`/`service.stopped` {service, pid}
 */
export const domainEventSchema = z.object({
  id: z.string().min(1).max(200),
  at: z.int().describe("Milliseconds since 1970, Redis time"),
  type: z.enum(EVENT_TYPES),
  featureId: idSchema.optional(),
  taskId: idSchema.optional(),
  attempt: z.int().min(1).optional(),
  ledgerVersion: z.int().min(0).optional().describe("Planner events only; orders them"),
  actor: z.string().describe("Service name, or the person's key id"),
  data: z.record(z.string(), z.unknown()),
});
export type DomainEvent = z.infer<typeof domainEventSchema>;
export type EventType = DomainEvent["type"];
