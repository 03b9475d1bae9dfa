export type Overrun = "wall" | "idle" | "budget";

/** The clocks of an attempt. */
export interface Deadlines extends Disposable {
  /** A sign of life. */
  touch(): void;
  /** While held, silence is ours, not the agent's: it waits for an answer. Returns the release. */
  hold(): () => void;
  /** A budget is used up: what is left to do must be done within `ms`. */
  endWithin(ms: number): void;
  /** Which clock ran out first, or null. */
  overrun(): Overrun | null;
}

export function watchDeadlines(limits: { wallMs: number; idleMs: number }, onOverrun: () => void): Deadlines {
  let overrun: Overrun | null = null;
  let held = 0;
  let budget: NodeJS.Timeout | undefined;
  const end = (which: Overrun) => {
    overrun ??= which;
    onOverrun();
  };
  const wall = setTimeout(() => end("wall"), limits.wallMs);
  const idle = setTimeout(() => {
    if (held > 0) idle.refresh();
    else end("idle");
  }, limits.idleMs);
  return {
    touch: () => void idle.refresh(),
    hold() {
      held += 1;
      let released = false;
      return () => {
        if (released) return;
        released = true;
        held -= 1;
        idle.refresh();
      };
    },
    endWithin(ms) {
      budget ??= setTimeout(() => end("budget"), ms);
    },
    overrun: () => overrun,
    [Symbol.dispose]() {
      clearTimeout(wall);
      clearTimeout(idle);
      clearTimeout(budget);
    },
  };
}
