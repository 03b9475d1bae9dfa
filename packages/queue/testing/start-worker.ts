import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

export interface Said {
  readonly said: string;
  readonly jobId?: string;
  readonly reason?: string;
  readonly written?: boolean;
  readonly startedCount?: number;
  readonly message?: string;
}

export interface TestWorker extends AsyncDisposable {
  readonly pid: number;
  readonly heard: readonly Said[];
  /** Resolves with the first thing said so far or later that fits. */
  hears(fits: (said: Said) => boolean): Promise<Said>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** Starts `worker.ts` and waits until it takes jobs. Disposing it kills what is left of it. */
export async function startWorker(
  redisUrl: string,
  options: { prefix: string; lockMs?: number; concurrency?: number; waitMs?: number },
): Promise<TestWorker> {
  const child = spawn(process.execPath, [WORKER, redisUrl, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const heard: Said[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    heard.push(JSON.parse(line) as Said);
    for (const look of waiting) look();
  });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const worker: TestWorker = {
    pid: child.pid ?? 0,
    heard,
    hears: (fits) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = heard.find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void ended.then((code) => {
          look();
          reject(new Error(`the worker ended with ${code}; heard ${JSON.stringify(heard)}`));
        });
      }),
    kill: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
  await worker.hears(({ said }) => said === "ready");
  return worker;
}
