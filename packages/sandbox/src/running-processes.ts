import type { SandboxProcess } from "./sandbox.ts";

/** A process that counts the bytes that go through its streams. */
export interface CountedProcess extends SandboxProcess {
  bytes(): { readonly in: number; readonly out: number };
}

/** The running programs of a sandbox, and the bytes that went through the streams of all its programs. */
export interface RunningProcesses<P extends CountedProcess> {
  add(child: P): P;
  kill(): void;
  /** Resolves when all programs that run now have ended. */
  ended(): Promise<unknown>;
  /** Both fields as in `SandboxFigures`. */
  figures(): { readonly bytesIn: number; readonly bytesOut: number };
}

export function openRunningProcesses<P extends CountedProcess>(): RunningProcesses<P> {
  const running = new Set<P>();
  const finished = { bytesIn: 0, bytesOut: 0 };
  return {
    add(child) {
      running.add(child);
      void child.exit.then(() => {
        running.delete(child);
        const bytes = child.bytes();
        finished.bytesIn += bytes.in;
        finished.bytesOut += bytes.out;
      });
      return child;
    },
    kill() {
      for (const child of running) child.kill();
    },
    ended: () => Promise.all([...running].map((child) => child.exit)),
    figures() {
      const sum = { ...finished };
      for (const child of running) {
        const bytes = child.bytes();
        sum.bytesIn += bytes.in;
        sum.bytesOut += bytes.out;
      }
      return sum;
    },
  };
}
