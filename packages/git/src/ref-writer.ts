import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { Fault } from "@agentswarm/contracts";
import type { RefMove } from "./publish-right.ts";
import { gitCommand } from "./run-git.ts";

const NOTHING = "0".repeat(40);
/** Git's errors for a ref that is not at `from`. Every other error, such as a lock, is retryable. */
const MOVED = /but expected|reference already exists|is missing|unable to resolve reference/;

/** Moves refs by compare-and-swap through one long-running `git update-ref --stdin`. */
export interface RefWriter extends Disposable {
  /** "moved": the ref was not at `from`. Throws Fault `git.failed`, retryable, when git could not try. */
  update(move: RefMove): Promise<"published" | "moved">;
}

export function openRefWriter(dir: string): RefWriter {
  let child: ChildProcessWithoutNullStreams | null = null;
  let last: Promise<unknown> = Promise.resolve();

  const open = () => {
    // By its path: when the folder is replaced by another repository, the ref must move in the new one.
    const { command, args, env } = gitCommand([`--git-dir=${dir}`, "update-ref", "--stdin"]);
    const started = spawn(command, args, { cwd: dir, env, stdio: "pipe" });
    started.stdin.on("error", () => undefined);
    started.on("close", () => {
      if (child === started) child = null;
    });
    return started;
  };

  const update = ({ ref, from, to }: RefMove) => {
    child ??= open();
    const running = child;
    const { promise, resolve, reject } = Promise.withResolvers<"published" | "moved">();
    let stdout = "";
    let stderr = "";
    const onStdout = (chunk: Buffer) => {
      stdout += chunk.toString();
      if (!stdout.includes("commit: ok\n")) return;
      cleanUp();
      resolve("published");
    };
    const onStderr = (chunk: Buffer) => (stderr += chunk.toString());
    // Git ends when it cannot carry out a transaction.
    const onEnd = () => {
      cleanUp();
      if (MOVED.test(stderr)) resolve("moved");
      else reject(new Fault("git.failed", `git update-ref: ${stderr.trim()}`, { retryable: true }));
    };
    const cleanUp = () => {
      running.stdout.off("data", onStdout);
      running.stderr.off("data", onStderr);
      running.off("close", onEnd);
      running.off("error", onEnd);
    };
    running.stdout.on("data", onStdout);
    running.stderr.on("data", onStderr);
    running.on("close", onEnd);
    running.on("error", onEnd);
    running.stdin.write(`start\nupdate ${ref} ${to} ${from ?? NOTHING}\nprepare\ncommit\n`);
    return promise;
  };

  return {
    update(move) {
      const done = last.then(() => update(move));
      last = done.catch(() => undefined);
      return done;
    },
    [Symbol.dispose]() {
      child?.stdin.end();
    },
  };
}
