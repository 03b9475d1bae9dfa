import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

export interface WorkerEvent {
  readonly event: string;
  readonly jobId?: string;
  readonly reason?: string;
  readonly written?: boolean;
  readonly message?: string;
}

export interface TestWorker extends AsyncDisposable {
  readonly pid: number;
  readonly events: readonly WorkerEvent[];
  /** Resolves with the first event, past or future, that matches. */
  waitFor(matches: (event: WorkerEvent) => boolean): Promise<WorkerEvent>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** Starts `worker.ts` and waits until it takes jobs. Disposing it kills the process. */
export async function startWorker(
  redisUrl: string,
  options: { prefix: string; lockMs?: number; concurrency?: number; waitMs?: number; jumpMs?: number },
): Promise<TestWorker> {
  const child = spawn(process.execPath, [WORKER, redisUrl, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const events: WorkerEvent[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    events.push(JSON.parse(line) as WorkerEvent);
    for (const check of waiting) check();
  });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const worker: TestWorker = {
    pid: child.pid ?? 0,
    events,
    waitFor: (matches) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = events.find(matches);
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
        void ended.then((code) => {
          check();
          reject(new Error(`the worker ended with ${code}; its events: ${JSON.stringify(events)}`));
        });
      }),
    kill: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
  await worker.waitFor(({ event }) => event === "ready");
  return worker;
}
