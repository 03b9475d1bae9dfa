import { asFault, type Fault } from "@agentswarm/contracts";

/** Runs planning turns: at most `atOnce` features at the same time, the most urgent first, each feature once at a time. */
export interface PlanningScheduler extends AsyncDisposable {
  /** Asks for a turn; urgency 0 is the highest. During a turn of the same feature: for another turn after it. */
  enqueue(featureId: string, urgency: number): void;
  /** Sets what a turn does and begins to run the turns that are enqueued. To be called once. */
  onTurn(turn: PlanningTurn): void;
}

export interface PlanningTurn {
  readonly run: (featureId: string, signal: AbortSignal) => Promise<void>;
  /** Called after a failed turn with the number of failures in a row. True: run another turn after a back-off. */
  readonly onFailure: (featureId: string, fault: Fault, failures: number) => Promise<boolean>;
}

const FIRST_BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 60_000;
/** The longest back-off that a backend may ask for; a timer does not take every number that a header can hold. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/**
 * Model calls take minutes, so they run beside the queue's jobs: a hundred features that wait for a plan must not delay
 * one handoff. A crash loses no turn: the ledger says what a feature needs, and the audit enqueues it again.
 */
export function openPlanningScheduler(atOnce: number): PlanningScheduler {
  const stopping = new AbortController();
  const waiting = new Map<string, number>();
  const running = new Map<string, Promise<void>>();
  const again = new Map<string, number>();
  const backingOff = new Map<string, NodeJS.Timeout>();
  const failures = new Map<string, number>();
  let work: PlanningTurn | null = null;

  const enqueue = (featureId: string, urgency: number) => {
    if (stopping.signal.aborted || backingOff.has(featureId)) return;
    if (running.has(featureId)) again.set(featureId, urgency);
    else waiting.set(featureId, urgency);
    fill();
  };

  const fill = () => {
    while (work !== null && running.size < atOnce && waiting.size > 0 && !stopping.signal.aborted) {
      // A Map keeps the order of insertion, and the first of equals wins.
      const [next, urgency] = [...waiting].reduce((first, one) => (one[1] < first[1] ? one : first));
      waiting.delete(next);
      running.set(next, runTurn(work, next, urgency));
    }
  };

  const runTurn = async (turn: PlanningTurn, featureId: string, urgency: number): Promise<void> => {
    try {
      await turn.run(featureId, stopping.signal);
      failures.delete(featureId);
    } catch (error) {
      if (!stopping.signal.aborted) await backOff(turn, featureId, urgency, asFault(error));
    }
    running.delete(featureId);
    const next = again.get(featureId);
    again.delete(featureId);
    if (next !== undefined) enqueue(featureId, next);
    fill();
  };

  const backOff = async (
    turn: PlanningTurn,
    featureId: string,
    urgency: number,
    fault: Fault,
  ): Promise<void> => {
    const count = (failures.get(featureId) ?? 0) + 1;
    failures.set(featureId, count);
    // When the report itself fails, for example because Redis is down, the turn is retried and reports again.
    const goOn = await turn.onFailure(featureId, fault, count).catch(() => true);
    if (!goOn) failures.delete(featureId);
    if (!goOn || stopping.signal.aborted) return;
    const grown = Math.min(FIRST_BACK_OFF_MS * 2 ** Math.min(count - 1, 20), LONGEST_BACK_OFF_MS);
    const timer = setTimeout(
      () => {
        backingOff.delete(featureId);
        enqueue(featureId, urgency);
      },
      Math.min(Math.max(fault.retryAfterMs ?? 0, grown), LONGEST_RETRY_AFTER_MS),
    );
    backingOff.set(featureId, timer);
  };

  return {
    enqueue,
    onTurn(turn) {
      work = turn;
      fill();
    },
    async [Symbol.asyncDispose]() {
      stopping.abort("shutdown");
      for (const timer of backingOff.values()) clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}
