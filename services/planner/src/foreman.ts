import { Fault } from "@agentswarm/contracts";

/** Gives features their turns with the model: a few at once, the most urgent first, each at most once at a time. */
export interface Foreman extends AsyncDisposable {
  /** Asks for a turn; 0 is the most urgent. During the feature's own turn, for another one after it. */
  call(featureId: string, urgency: number): void;
}

export interface ForemanOptions {
  readonly atOnce: number;
  readonly work: (featureId: string, signal: AbortSignal) => Promise<void>;
  /** Told about a turn that failed; `troubles` counts those in a row. True: give it another turn later. */
  readonly onTrouble: (featureId: string, fault: Fault, troubles: number) => Promise<boolean>;
}

const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 60_000;
/** The longest that a backend may ask for; a timer cannot hold any number that a header can. */
const LONGEST_WISH_MS = 3_600_000;

/**
 * Model calls take minutes, so they are made beside the queue's jobs: a hundred features waiting for a plan must not
 * keep one handoff waiting. Nothing is lost by that, for what a feature needs is in its ledger, and the audit asks
 * for the turns that a crash has swallowed.
 */
export function openForeman({ atOnce, work, onTrouble }: ForemanOptions): Foreman {
  const stopping = new AbortController();
  const waiting = new Map<string, number>();
  const running = new Map<string, Promise<void>>();
  const again = new Map<string, number>();
  const resting = new Map<string, NodeJS.Timeout>();
  const troubles = new Map<string, number>();

  const call = (featureId: string, urgency: number) => {
    if (stopping.signal.aborted || resting.has(featureId)) return;
    if (running.has(featureId)) again.set(featureId, urgency);
    else waiting.set(featureId, urgency);
    fill();
  };

  const fill = () => {
    while (running.size < atOnce && waiting.size > 0 && !stopping.signal.aborted) {
      // A Map keeps the order of arrival, and the first of equals wins.
      const [next, urgency] = [...waiting].reduce((first, one) => (one[1] < first[1] ? one : first));
      waiting.delete(next);
      running.set(next, turn(next, urgency));
    }
  };

  const turn = async (featureId: string, urgency: number): Promise<void> => {
    try {
      await work(featureId, stopping.signal);
      troubles.delete(featureId);
    } catch (error) {
      if (!stopping.signal.aborted) await rest(featureId, urgency, Fault.from(error));
    }
    running.delete(featureId);
    const next = again.get(featureId);
    again.delete(featureId);
    if (next !== undefined) call(featureId, next);
    fill();
  };

  const rest = async (featureId: string, urgency: number, fault: Fault): Promise<void> => {
    const count = (troubles.get(featureId) ?? 0) + 1;
    troubles.set(featureId, count);
    // Whatever goes wrong with telling, the feature rests and its next turn tells again.
    const goOn = await onTrouble(featureId, fault, count).catch(() => true);
    if (!goOn) troubles.delete(featureId);
    if (!goOn || stopping.signal.aborted) return;
    const grown = Math.min(FIRST_REST_MS * 2 ** Math.min(count - 1, 20), LONGEST_REST_MS);
    const timer = setTimeout(
      () => {
        resting.delete(featureId);
        call(featureId, urgency);
      },
      Math.min(Math.max(fault.retryAfterMs ?? 0, grown), LONGEST_WISH_MS),
    );
    resting.set(featureId, timer);
  };

  return {
    call,
    async [Symbol.asyncDispose]() {
      stopping.abort("shutdown");
      for (const timer of resting.values()) clearTimeout(timer);
      await Promise.all(running.values());
    },
  };
}
