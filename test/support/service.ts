import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** A service as a process of its own. */
export interface RunningService {
  readonly child: ChildProcess;
  /** Everything it has printed so far. */
  output(): string;
  /** Resolves once it has printed `text`. Rejects with its output when it ends before. */
  says(text: string): Promise<void>;
  /** How it ended: the exit code, or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | NodeJS.Signals | null>;
}

/** Starts `services/<name>` with these settings; of the test's own environment it sees only what programs need. */
export function startService(name: string, env: Readonly<Record<string, string>>): RunningService {
  const { PATH, HOME, SWARM_TOOLS, NODE_COMPILE_CACHE } = process.env;
  // Variables without a value are not passed.
  const own = { PATH, HOME, SWARM_TOOLS, NODE_COMPILE_CACHE };
  const child = spawn(process.execPath, [join(ROOT, "services", name, "src/main.ts")], {
    env: { ...own, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  const onOutput = (chunk: Buffer) => (printed += chunk.toString());
  child.stdout.on("data", onOutput);
  child.stderr.on("data", onOutput);
  const ended = once(child, "close").then(
    ([code, signal]) => (signal ?? code) as number | NodeJS.Signals | null,
  );
  return {
    child,
    output: () => printed,
    says(text) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = () => {
        if (printed.includes(text)) resolve();
      };
      child.stdout.on("data", look);
      child.stderr.on("data", look);
      look();
      void ended.then((code) =>
        reject(new Error(`${name} ended (${code}) before it said ${text}: ${printed}`)),
      );
      return promise.finally(() => {
        child.stdout.off("data", look);
        child.stderr.off("data", look);
      });
    },
    ended,
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}
