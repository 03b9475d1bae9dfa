import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { bufferOutput } from "./output.ts";

export interface Ended {
  readonly code?: number;
  readonly signal?: number;
}

export type FakeProcess = ReturnType<typeof startFakeProcess>;

/** Starts a real process of this machine in the folder of a sandbox. */
export function startFakeProcess(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
  const [command = "", ...args] = argv;
  const child = spawn(command, args, { cwd, env, detached: true, stdio: "pipe" });
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => undefined);
  const ended = new Promise<Ended>((resolve) => {
    child.once("error", () => resolve({ code: 127 }));
    child.once("exit", (code, signal) =>
      resolve(signal === null ? { code: code ?? 1 } : { signal: constants.signals[signal] }),
    );
  });
  return {
    pid: child.pid,
    ended,
    readStdout: bufferOutput(child.stdout),
    readStderr: bufferOutput(child.stderr),
    async write(data: Uint8Array, isLast: boolean): Promise<void> {
      if (data.length > 0 && !child.stdin.write(data)) {
        await Promise.race([once(child.stdin, "drain"), once(child.stdin, "close"), ended]);
      }
      if (isLast) child.stdin.end();
    },
    /** Closes its streams, which other processes may still hold open. */
    closeStreams() {
      child.stdout.destroy();
      child.stderr.destroy();
      child.stdin.destroy();
    },
  };
}
