export type Overrun = "wall" | "idle" | "budget" | "parked";

/** The time limits of an attempt. */
export interface Deadlines extends Disposable {
  /** A sign of life. */
  touch(): void;
  /** Stops the idle time while the agent waits for an answer of ours. Returns the function that lets it go on. */
  hold(): () => void;
  /** A budget is used up, or the attempt is parked: ends it in `ms` milliseconds. Only the first call counts. */
  endWithin(ms: number, why: "budget" | "parked"): void;
  /** Milliseconds until the wall time is over. */
  wallLeftMs(): number;
  /** The limit that was exceeded first, or null. */
  overrun(): Overrun | null;
}

/** Starts the time limits, in milliseconds. `onOverrun` is called for every limit that is exceeded. */
export function watchDeadlines(limits: { wallMs: number; idleMs: number }, onOverrun: () => void): Deadlines {
  let overrun: Overrun | null = null;
  let held = 0;
  let wrapUp: NodeJS.Timeout | undefined;
  const end = (which: Overrun) => {
    overrun ??= which;
    onOverrun();
  };
  const wallEnd = performance.now() + limits.wallMs;
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
    endWithin(ms, why) {
      wrapUp ??= setTimeout(() => end(why), ms);
    },
    wallLeftMs: () => wallEnd - performance.now(),
    overrun: () => overrun,
    [Symbol.dispose]() {
      clearTimeout(wall);
      clearTimeout(idle);
      clearTimeout(wrapUp);
    },
  };
}
