import { processesOf } from "./leftovers.ts";
import { waitUntil } from "./wait-until.ts";

/** One run of a check in a sandbox; the test decides how it ends. */
export interface RunningCheck {
  readonly pid: number;
  pass(): void;
  fail(): void;
}

/** A target's check whose result is decided by the test. */
export interface WaitingCheck {
  readonly command: string;
  /** The files of the check in the target. */
  readonly files: Readonly<Record<string, string>>;
  /** The next run that `next` has not returned yet. */
  next(): Promise<RunningCheck>;
  /** Live processes of the check. */
  alive(): Promise<string[]>;
}

/** `mark` is the process title of the check and must be unique; `output` is shown when no run begins in time. */
export function makeWaitingCheck(mark: string, output: () => string): WaitingCheck {
  const seen = new Set<number>();
  const alive = async () => (await processesOf(mark)).filter((line) => line.includes(mark));
  return {
    command: "node decide.mjs to-be-replaced-by-the-mark",
    files: {
      // The title is set after both signal handlers, because the test sends a signal as soon as it finds the title.
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
