import type { ExecOptions } from "./sandbox.ts";

export interface KillWatch extends Disposable {
  /** Whether it was the time that ran out. */
  readonly timedOut: boolean;
}

/** Kills a program that overstays its time or is called off, until disposed. */
export function killWhenOver(
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
