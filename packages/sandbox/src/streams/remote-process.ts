import { killOnTimeout } from "../kill-on-timeout.ts";
import type { ExecOptions, Exit, SandboxProcess } from "../sandbox.ts";
import { openChildStreams, type ChildStreams } from "./child-streams.ts";

/** How long after a kill the rest of the output is waited for. */
const OUTPUT_WAIT_MS = 5_000;

/** How a program in another place is run and killed. */
export interface RemoteProgram {
  /** Starts it, and resolves with its exit code when its output has ended; null when the exit code is unknown. */
  run(streams: ChildStreams): Promise<number | null>;
  /** Kills it with everything it started; may be called before it has started. */
  kill(): void;
}

export interface RemoteProcess extends SandboxProcess {
  /** Bytes that went through its streams so far. */
  bytes(): { readonly in: number; readonly out: number };
}

/** Gives a program in another place the interface of a child process. */
export function startRemoteProcess(program: RemoteProgram, options: ExecOptions = {}): RemoteProcess {
  const streams = openChildStreams();
  let killed = false;
  let ended = false;
  let outputTimer: NodeJS.Timeout | undefined;
  const kill = () => {
    if (killed || ended) return;
    killed = true;
    program.kill();
    outputTimer = setTimeout(() => streams.discardOutput(), OUTPUT_WAIT_MS);
  };
  const watch = killOnTimeout(options, kill);

  const exit = (async (): Promise<Exit> => {
    // A program that could not be started exits without a code.
    const code = await program.run(streams).catch(() => null);
    ended = true;
    watch[Symbol.dispose]();
    await streams.finish();
    clearTimeout(outputTimer);
    return killed
      ? { code: null, signal: "SIGKILL", timedOut: watch.timedOut }
      : { code, signal: null, timedOut: watch.timedOut };
  })();
  const { stdin, stdout, stderr, bytes } = streams;
  return { stdin, stdout, stderr, exit, kill, bytes };
}
