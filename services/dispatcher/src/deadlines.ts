/** The two clocks of an attempt. */
export interface Deadlines extends Disposable {
  /** A sign of life. */
  touch(): void;
  /** Which clock ran out, or null. */
  overrun(): "wall" | "idle" | null;
}

export function watchDeadlines(limits: { wallMs: number; idleMs: number }, onOverrun: () => void): Deadlines {
  let overrun: "wall" | "idle" | null = null;
  const end = (which: "wall" | "idle") => () => {
    overrun ??= which;
    onOverrun();
  };
  const wall = setTimeout(end("wall"), limits.wallMs);
  const idle = setTimeout(end("idle"), limits.idleMs);
  return {
    touch: () => void idle.refresh(),
    overrun: () => overrun,
    [Symbol.dispose]() {
      clearTimeout(wall);
      clearTimeout(idle);
    },
  };
}
