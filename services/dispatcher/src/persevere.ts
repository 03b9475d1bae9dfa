import { setTimeout as sleep } from "node:timers/promises";
import { asFault } from "@agentswarm/contracts";
import type { JobContext } from "@agentswarm/queue";

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;

/**
 * Repeats a step of an attempt whose agent has ended until no passing fault stops it, such as a full disk or a full
 * Redis: the agent's work exists only once and was paid for. Throws any other fault, and every fault once the job is
 * aborted.
 */
export async function persevere<T>(
  job: Pick<JobContext, "signal" | "waitsFor" | "goesOn">,
  step: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      const done = await step();
      if (tries > 1) await job.goesOn();
      return done;
    } catch (error) {
      const fault = asFault(error);
      if (!fault.retryable || job.signal.aborted) throw fault;
      await job.waitsFor(fault);
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** Math.min(tries - 1, 10), LONGEST_DELAY_MS);
      await sleep(delayMs, undefined, { signal: job.signal }).catch(() => undefined);
    }
  }
}
