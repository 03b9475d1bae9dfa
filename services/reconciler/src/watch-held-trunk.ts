import { jobId } from "@agentswarm/contracts";
import type { ReconcilerContext, SweepContext } from "./context.ts";

const EVERY_MS = 5_000;

/** Has a held trunk swept as soon as somebody pushes to it: the timer of sweeps may be minutes away. */
export function watchHeldTrunk(
  { sender, log }: Pick<ReconcilerContext, "sender" | "log">,
  { repoId, mirror, trunkStates }: SweepContext,
): Disposable {
  const look = async () => {
    const state = await trunkStates.read(repoId);
    if (state === null || state.hold === null) return;
    await mirror.fetch();
    const head = await mirror.head();
    if (head !== state.head)
      await sender.send("sweep", { why: "nudge", repoId }, { jobId: jobId.sweepAfterLandings(head) });
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) =>
      log.warn({ err: error, repoId }, "the held trunk could not be looked at"),
    );
  }, EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
