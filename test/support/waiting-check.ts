import { processesOf } from "./leftovers.ts";
import { waitUntil } from "./wait-until.ts";

/** A check that is running in a sandbox and ends as the test says. */
export interface RunningCheck {
  readonly pid: number;
  pass(): void;
  fail(): void;
}

/** A target's check that decides nothing by itself, so that a test may. */
export interface WaitingCheck {
  readonly command: string;
  /** What the target needs for it. */
  readonly files: Readonly<Record<string, string>>;
  /** The next run of it that was not given out yet. */
  next(): Promise<RunningCheck>;
  /** Processes of it that are alive. */
  alive(): Promise<string[]>;
}

/** `mark` must be nobody else's; `output` is shown when no run begins in time. */
export function makeWaitingCheck(mark: string, output: () => string): WaitingCheck {
  const seen = new Set<number>();
  const alive = async () => (await processesOf(mark)).filter((line) => line.includes(mark));
  return {
    command: "node decide.mjs to-be-replaced-by-the-mark",
    files: {
      // Only with both signals heard it takes the name by which the test finds it.
      "decide.mjs": `process.on("SIGUSR2", () => process.exit(0));
process.on("SIGTERM", () => {
  console.log("not ok 1 - decided by the test");
  process.exit(1);
});
setInterval(() => undefined, 1_000);
process.title = ${JSON.stringify(mark)};
`,
    },
    alive,
    next: () =>
      waitUntil(
        "a check",
        30_000,
        async () => {
          const pids = (await alive()).map((line) => Number(line.split(" ")[0]));
          const pid = pids.find((one) => !seen.has(one));
          if (pid === undefined) return null;
          seen.add(pid);
          return {
            pid,
            pass: () => process.kill(pid, "SIGUSR2"),
            fail: () => process.kill(pid, "SIGTERM"),
          };
        },
        output,
      ),
  };
}
