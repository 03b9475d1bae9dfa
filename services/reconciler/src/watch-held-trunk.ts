import { jobId } from "@agentswarm/contracts";
import type { Sender, TrunkStates } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";
import type { SweepContext } from "./context.ts";

const EVERY_MS = 5_000;

interface HeldTrunk extends Pick<SweepContext, "repoId" | "mirror"> {
  readonly trunkStates: Pick<TrunkStates, "read">;
}

/**
 * Has a held trunk swept as soon as somebody pushes to it: the timer of sweeps may be minutes away.
 * @param everyMs milliseconds between two looks; only tests need another value
 */
export function watchHeldTrunk(
  { sender, log }: { readonly sender: Pick<Sender, "send">; readonly log: Logger },
  { repoId, mirror, trunkStates }: HeldTrunk,
  everyMs = EVERY_MS,
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
  }, everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
