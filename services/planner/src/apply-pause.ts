import { nameOfPause, type Pause, type PauseScope, type PlanMessage } from "@agentswarm/contracts";
import { pauseTasks, resumeTasks } from "@agentswarm/queue";
import type { PlannerContext } from "./context.ts";
import { setPaused } from "./ledger/person-actions.ts";
import { hasEnded, type Ledger } from "./ledger/ledger.ts";

type PauseMessage = Extract<PlanMessage, { kind: "pause" }>;
/** Takes a step of a feature's ledger and moves the feature on. */
type Move = (featureId: string, change: (ledger: Ledger | null) => Ledger | null) => Promise<void>;

/**
 * Pauses or resumes the swarm, a repository's landings or a feature. A redelivered message changes nothing: the pause is
 * the first one that was noted, and the ids of both events are derived from its time.
 */
export async function applyPause(ctx: PlannerContext, message: PauseMessage, move: Move): Promise<void> {
  const { scope, by, via, why } = message;
  const asked: Pause = { by, via, why, at: await ctx.connection.now() };
  if (message.paused) await pause(ctx, scope, asked, move);
  else await resume(ctx, scope, asked, move);
}

async function pause(ctx: PlannerContext, scope: PauseScope, asked: Pause, move: Move): Promise<void> {
  const first = scope.kind === "feature" ? await pauseFeature(ctx, scope.featureId, asked, move) : asked;
  if (first === null) return;
  const held = await ctx.pauses.begin(scope, first);
  if (scope.kind === "swarm") await pauseTasks(ctx.connection);
  const id = `work-paused-${idOf(scope, held)}`;
  await ctx.sender.event({ id, type: "work.paused", data: { scope, pause: held } });
  ctx.log.info({ scope: nameOfPause(scope), by: held.by, why: held.why }, "paused");
}

/** The ledger decides who was first. Null: the feature has ended. */
async function pauseFeature(
  ctx: PlannerContext,
  featureId: string,
  asked: Pause,
  move: Move,
): Promise<Pause | null> {
  await move(featureId, (ledger) => ledger && setPaused(ledger, asked));
  const ledger = await ctx.ledgers.get(featureId);
  return ledger === null || hasEnded(ledger) ? null : ledger.paused;
}

async function resume(ctx: PlannerContext, scope: PauseScope, asked: Pause, move: Move): Promise<void> {
  const held = await ctx.pauses.read(scope);
  if (held !== null) {
    const id = `work-resumed-${idOf(scope, held)}`;
    await ctx.sender.event({ id, type: "work.resumed", data: { scope, pause: asked } });
    await ctx.pauses.end(scope);
    ctx.log.info({ scope: nameOfPause(scope), by: asked.by, why: asked.why }, "resumed");
  }
  // Also without a pause: the message may come again after a crash behind the line above.
  if (scope.kind === "swarm") await resumeTasks(ctx.connection);
  if (scope.kind === "feature") await move(scope.featureId, (ledger) => ledger && setPaused(ledger, null));
  // What waited for a turn goes on at once.
  if (scope.kind !== "landings") await ctx.sender.send("plan", { kind: "audit" });
}

function idOf(scope: PauseScope, { at }: Pause): string {
  return `${nameOfPause(scope).replace("/", "-")}-${at}`;
}

/** Forgets the pauses of features that have ended. */
export async function forgetPauses({
  pauses,
  ledgers,
}: Pick<PlannerContext, "pauses" | "ledgers">): Promise<void> {
  const paused = (await pauses.all()).filter(({ scope }) => scope.kind === "feature");
  if (paused.length === 0) return;
  const open = new Set(await ledgers.open());
  for (const { scope } of paused)
    if (scope.kind === "feature" && !open.has(scope.featureId)) await pauses.end(scope);
}
