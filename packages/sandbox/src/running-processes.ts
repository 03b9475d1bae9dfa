import type { SandboxProcess } from "./sandbox.ts";

/** A process that tells what has gone through its streams so far. */
export interface CountedProcess extends SandboxProcess {
  bytes(): { readonly in: number; readonly out: number };
}

/** What runs in a sandbox, and what has gone in and out of all that ever did. */
export interface RunningProcesses<P extends CountedProcess> {
  add(child: P): P;
  kill(): void;
  /** Resolves when all that run now have ended. */
  ended(): Promise<unknown>;
  /** As `SandboxFigures` has them. */
  figures(): { readonly bytesIn: number; readonly bytesOut: number };
}

export function openRunningProcesses<P extends CountedProcess>(): RunningProcesses<P> {
  const running = new Set<P>();
  const before = { bytesIn: 0, bytesOut: 0 };
  return {
    add(child) {
      running.add(child);
      void child.exit.then(() => {
        running.delete(child);
        const bytes = child.bytes();
        before.bytesIn += bytes.in;
        before.bytesOut += bytes.out;
      });
      return child;
    },
    kill() {
      for (const child of running) child.kill();
    },
    ended: () => Promise.all([...running].map((child) => child.exit)),
    figures() {
      const sum = { ...before };
      for (const child of running) {
        const bytes = child.bytes();
        sum.bytesIn += bytes.in;
        sum.bytesOut += bytes.out;
      }
      return sum;
    },
  };
}
