import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { Fault } from "@agentswarm/contracts";
import type { RefMove } from "./publish-right.ts";
import { gitCommand } from "./run-git.ts";

const NOTHING = "0".repeat(40);
/** What git says when the ref is not where it should be, as against a lock that is in the way. */
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
    // By its path: were the folder put aside and another put in its place, the ref has to move in the new one.
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
    let said = "";
    let complained = "";
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("commit: ok\n")) settle(() => resolve("published"));
    };
    const complain = (chunk: Buffer) => (complained += chunk.toString());
    // It ends over a transaction that it cannot carry out.
    const close = () =>
      settle(() => {
        if (MOVED.test(complained)) resolve("moved");
        else reject(new Fault("git.failed", `git update-ref: ${complained.trim()}`, { retryable: true }));
      });
    const settle = (act: () => void) => {
      running.stdout.off("data", hear);
      running.stderr.off("data", complain);
      running.off("close", close);
      running.off("error", close);
      act();
    };
    running.stdout.on("data", hear);
    running.stderr.on("data", complain);
    running.on("close", close);
    running.on("error", close);
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
