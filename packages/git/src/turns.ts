/** Lets at most `atOnce` callers work at the same time, in the order in which they came. */
export interface Turns {
  /** Waits for a turn, which ends when it is disposed of. */
  take(): Promise<Disposable>;
}

export function openTurns(atOnce: number): Turns {
  const waiting: (() => void)[] = [];
  let taken = 0;
  const giveBack = () => {
    const next = waiting.shift();
    if (next === undefined) taken -= 1;
    else next();
  };
  return {
    async take() {
      if (taken < atOnce) taken += 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return { [Symbol.dispose]: giveBack };
    },
  };
}
