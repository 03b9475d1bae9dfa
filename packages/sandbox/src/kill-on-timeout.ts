import type { ExecOptions } from "./sandbox.ts";

export interface KillWatch extends Disposable {
  /** Whether the program was killed because `timeoutMs` passed. */
  readonly timedOut: boolean;
}

/** Calls `kill` when `timeoutMs` has passed or the signal is aborted, until disposed. */
export function killOnTimeout(
  { timeoutMs, signal }: Pick<ExecOptions, "timeoutMs" | "signal">,
  kill: () => void,
): KillWatch {
  let timedOut = false;
  const onTime = () => {
    timedOut = true;
    kill();
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(onTime, timeoutMs);
  signal?.addEventListener("abort", kill);
  if (signal?.aborted) kill();
  return {
    get timedOut() {
      return timedOut;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", kill);
    },
  };
}
