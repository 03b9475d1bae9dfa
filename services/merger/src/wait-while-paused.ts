import { setTimeout as sleep } from "node:timers/promises";
import { describePause, Fault } from "@agentswarm/contracts";
import type { LandingContext } from "./context.ts";
import type { MergeQueue } from "./queue.ts";

const LOOK_EVERY_MS = 1_000;
/** A task shows as waiting for a pause after the second time. */
const TELL_EVERY_MS = 10_000;

/** Why no batch is begun on this repository's trunk, or null. */
export async function landingsPause({
  pauses,
  repoId,
}: Pick<LandingContext, "pauses" | "repoId">): Promise<Fault | null> {
  const scope = { kind: "landings", repoId } as const;
  // When Redis does not answer, the entries meet that fault at once, as they do without a pause.
  const pause = await pauses.read(scope).catch(() => null);
  return pause && new Fault("work.paused", describePause(scope, pause));
}

/**
 * Resolves when landings are not paused any more, or when the service stops. The entries keep their places meanwhile, and
 * their tasks show why they wait.
 */
export async function waitWhilePaused(
  ctx: Pick<LandingContext, "pauses" | "repoId" | "signal">,
  queue: Pick<MergeQueue, "waitsFor">,
): Promise<void> {
  for (let looks = 0; !ctx.signal.aborted; looks += 1) {
    const fault = await landingsPause(ctx);
    if (fault === null) return;
    if ((looks * LOOK_EVERY_MS) % TELL_EVERY_MS === 0) await queue.waitsFor(fault);
    await sleep(LOOK_EVERY_MS, undefined, { signal: ctx.signal }).catch(() => undefined);
  }
}
