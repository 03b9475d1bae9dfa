import type { ExecOptions, Exit, SandboxProcess } from "../sandbox.ts";
import { openChildStreams, type ChildStreams } from "./child-streams.ts";
import { killWhenOver } from "../kill-when-over.ts";

/** How long after a kill its output is still waited for. */
const LETTING_GO_MS = 5_000;

/** A program somewhere else. */
export interface Remote {
  /** Starts it, and resolves with its exit code when its output has ended; null when nobody can tell any more. */
  run(streams: ChildStreams): Promise<number | null>;
  /** Kills it with all it has started; also called before it has begun. */
  kill(): void;
}

export interface RemoteProcess extends SandboxProcess {
  /** What has gone through its streams so far. */
  bytes(): { readonly in: number; readonly out: number };
}

/** A program somewhere else, to be dealt with like a child of this process. */
export function startRemote(remote: Remote, options: ExecOptions = {}): RemoteProcess {
  const streams = openChildStreams();
  let killed = false;
  let ended = false;
  let lettingGo: NodeJS.Timeout | undefined;
  const kill = () => {
    if (killed || ended) return;
    killed = true;
    remote.kill();
    lettingGo = setTimeout(() => streams.letGo(), LETTING_GO_MS);
  };
  const watch = killWhenOver(options, kill);

  const exit = (async (): Promise<Exit> => {
    // Where it could not be started at all, that shows as an exit without a code.
    const code = await remote.run(streams).catch(() => null);
    ended = true;
    watch[Symbol.dispose]();
    await streams.finish();
    clearTimeout(lettingGo);
    return killed
      ? { code: null, signal: "SIGKILL", timedOut: watch.timedOut }
      : { code, signal: null, timedOut: watch.timedOut };
  })();
  const { stdin, stdout, stderr, bytes } = streams;
  return { stdin, stdout, stderr, exit, kill, bytes };
}
