import type { Fault } from "@agentswarm/contracts";
import { kindOf } from "./kind-of-error.ts";

/** The part of a BullMQ worker that is needed to pause it. */
export interface Pausable {
  pause(doNotWaitActive: boolean): Promise<void>;
  resume(): void;
}

export interface Blocking {
  /** To be called with every fault for which a job is put back. */
  met(fault: Fault): void;
  /** To be called when a job goes on or ends. */
  wentOn(): void;
  stop(): void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Pauses a worker whose jobs all meet one passing fault, such as a trunk that cannot be read: what stops one job stops the
 * others too, and a backlog of thousands would be tried once a minute each. After `faults` in a row the worker pauses, longer
 * each time, and then tries `tries` jobs.
 */
export function pauseWhenBlocked(
  worker: Pausable,
  {
    faults,
    tries,
    report,
  }: { readonly faults: number; readonly tries: number; readonly report: (error: unknown) => void },
): Blocking {
  let kind = "";
  let count = 0;
  let pauses = 0;
  let timer: NodeJS.Timeout | undefined;

  const pause = () => {
    const ms = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(pauses, 10), LONGEST_PAUSE_MS);
    pauses += 1;
    // Jobs that run go on; only no new one is taken.
    worker.pause(true).catch(report);
    timer = setTimeout(() => {
      timer = undefined;
      count = Math.max(0, faults - tries);
      worker.resume();
    }, ms);
  };

  return {
    met(fault) {
      // A person has paused one feature: the jobs of others go on.
      if (fault.code === "work.paused") return;
      const same = `${fault.code} ${kindOf(fault).slice(0, 40)}`;
      count = same === kind ? count + 1 : 1;
      kind = same;
      if (count >= faults && timer === undefined) pause();
    },
    wentOn() {
      count = 0;
      pauses = 0;
    },
    stop: () => clearTimeout(timer),
  };
}
