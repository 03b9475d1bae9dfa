import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "@agentswarm/contracts";
import type { LandingContext } from "./context.ts";
import type { QueueEntry } from "./queue.ts";

/** So many pushes of others are usual; after them the trunk counts as busy. */
const USUAL = 2;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;

/** How long to wait before the next batch, after so many batches in a row that another push overtook. Pure. */
export function quietDelayMs(overtakes: number): number {
  if (overtakes <= USUAL) return 0;
  return Math.min(FIRST_DELAY_MS * 2 ** Math.min(overtakes - USUAL - 1, 20), LONGEST_DELAY_MS);
}

/**
 * Waits before a batch that another push overtook is built again. A busy trunk is nobody's mistake: the attempts keep their
 * places and land when nobody pushes for as long as the gate takes.
 */
export async function waitForQuiet(
  { mirror, signal }: Pick<LandingContext, "mirror" | "signal">,
  entries: readonly QueueEntry[],
  overtakes: number,
): Promise<void> {
  const delayMs = quietDelayMs(overtakes);
  if (delayMs === 0) return;
  const why = `others pushed to ${mirror.trunk} ${overtakes} times while the gate tested this attempt: it lands when nobody pushes for as long as the gate takes`;
  const fault = new Fault("git.moved", why);
  for (const entry of entries) await entry.waitsFor(fault);
  await sleep(delayMs, undefined, { signal }).catch(() => undefined);
}
