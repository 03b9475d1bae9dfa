import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import type { ContainerProcess, Sandbox } from "modal";
import { Fault } from "@agentswarm/contracts";
import { writeWhenOpen } from "./byte-streams.ts";
import { statusOf, whenFree, type BackOff } from "./back-off.ts";

const NOT_FOUND = 5;
const END_KNOWN_WITHIN_MS = 10_000;
const ASK_AGAIN_MS = 1_000;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One sandbox of Modal's, with what the SDK leaves to its callers: waiting while it is busy, and knowing its end. */
export interface Box {
  readonly id: string;
  /** Resolves once it is gone, whoever ended it. */
  readonly ended: Promise<void>;
  start(argv: readonly string[]): Promise<ContainerProcess<Uint8Array>>;
  /** Runs a command of ours to its end, as root, in the work folder. */
  run(argv: readonly string[], openInput?: () => Readable): Promise<Ran>;
  /** Keeps all its files as an image, and gives the image's id. */
  snapshot(): Promise<string>;
  /** Resolves once it is gone. May be called twice. */
  terminate(): Promise<void>;
}

const SNAPSHOT_WITHIN_MS = 300_000;

export function openBox(sandbox: Sandbox, backOff: BackOff): Box {
  const closing = new AbortController();
  const ended = watchEnd(sandbox, closing.signal);
  const start = (argv: readonly string[]) =>
    whenFree("start a program", () => sandbox.exec([...argv], { mode: "binary" }), backOff);
  const end = async () => {
    await whenFree("end a sandbox", () => endSandbox(sandbox), backOff);
    await Promise.race([ended, sleep(END_KNOWN_WITHIN_MS, undefined, { ref: false })]);
    closing.abort();
    sandbox.detach();
  };
  let terminated: Promise<void> | undefined;
  return {
    id: sandbox.sandboxId,
    ended,
    start,
    async run(argv, openInput) {
      const process = await start(argv);
      const [stdout, stderr] = [process.stdout.readText(), process.stderr.readText()];
      if (openInput === undefined) await process.stdin.close();
      else
        await pipeline(
          openInput(),
          writeWhenOpen(Promise.resolve(process.stdin), () => undefined),
        );
      return { code: await process.wait(), stdout: await stdout, stderr: await stderr };
    },
    async snapshot() {
      const image = await whenFree(
        "keep a snapshot",
        () => sandbox.snapshotFilesystem({ timeoutMs: SNAPSHOT_WITHIN_MS }),
        backOff,
      );
      return image.imageId;
    },
    terminate() {
      terminated ??= end().catch((error: unknown) => {
        // The next who asks tries again.
        terminated = undefined;
        throw error;
      });
      return terminated;
    },
  };
}

/** Ends a sandbox; one that is gone already has ended. */
export async function endSandbox(sandbox: Sandbox): Promise<void> {
  try {
    await sandbox.terminate();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

export function isGone(error: unknown): boolean {
  return statusOf(error) === NOT_FOUND || (error as Error).name === "NotFoundError";
}

/**
 * The SDK asks after a program's end for ever when the machine that ran it is gone, so the sandbox's own end is
 * watched beside it.
 */
async function watchEnd(sandbox: Sandbox, closing: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    try {
      await sandbox.wait();
      return;
    } catch (error) {
      if (isGone(error)) return;
      await sleep(ASK_AGAIN_MS, undefined, { ref: false });
    }
  }
}

/** Runs a command of ours; throws Fault `sandbox.died` (retryable) when it fails. */
export async function mustRun(
  box: Box,
  what: string,
  argv: readonly string[],
  openInput?: () => Readable,
): Promise<string> {
  const { code, stdout, stderr } = await box.run(argv, openInput);
  if (code === 0) return stdout;
  throw new Fault("sandbox.died", `could not ${what} in a sandbox (exit ${code}): ${stderr.slice(-2_000)}`, {
    retryable: true,
  });
}
