import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import type { ContainerProcess, Sandbox } from "modal";
import { Fault } from "@agentswarm/contracts";
import { ERROR_TAIL_CHARS, openTail } from "../streams/tail.ts";
import { writeWhenOpen } from "./byte-streams.ts";
import { grpcStatus, retryWhileBusy, type BackOff } from "./retry-while-busy.ts";

const NOT_FOUND = 5;
const END_KNOWN_WITHIN_MS = 10_000;
const RETRY_MS = 1_000;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A sandbox of Modal's SDK, with retries while Modal is busy and with a promise of its end. */
export interface Box {
  readonly id: string;
  /** Resolves once the sandbox is gone, however it ended. */
  readonly ended: Promise<void>;
  start(argv: readonly string[]): Promise<ContainerProcess<Uint8Array>>;
  /** Runs a command of this package until it exits, as the image's user, in the work folder. */
  run(argv: readonly string[], openInput?: () => Readable): Promise<CommandResult>;
  /** Stores all files of the sandbox as an image, and returns the image's id. */
  snapshot(): Promise<string>;
  /** Resolves once the sandbox is gone. May be called twice. */
  terminate(): Promise<void>;
}

const SNAPSHOT_WITHIN_MS = 300_000;

export function openBox(sandbox: Sandbox, backOff: BackOff): Box {
  const closing = new AbortController();
  const ended = watchEnd(sandbox, closing.signal);
  const start = (argv: readonly string[]) =>
    retryWhileBusy("start a program", () => sandbox.exec([...argv], { mode: "binary" }), backOff);
  const end = async () => {
    await retryWhileBusy("terminate a sandbox", () => endSandbox(sandbox), backOff);
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
      const image = await retryWhileBusy(
        "take a snapshot",
        () => sandbox.snapshotFilesystem({ timeoutMs: SNAPSHOT_WITHIN_MS }),
        backOff,
      );
      return image.imageId;
    },
    terminate() {
      terminated ??= end().catch((error: unknown) => {
        // The next call retries.
        terminated = undefined;
        throw error;
      });
      return terminated;
    },
  };
}

/** Terminates a sandbox; one that is gone is no error. */
export async function endSandbox(sandbox: Sandbox): Promise<void> {
  try {
    await sandbox.terminate();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

export function isGone(error: unknown): boolean {
  return grpcStatus(error) === NOT_FOUND || (error as Error).name === "NotFoundError";
}

/**
 * Resolves when the sandbox has ended. Needed beside the end of each program: when the machine of the sandbox is gone, the
 * SDK waits for the exit of its programs for ever.
 */
async function watchEnd(sandbox: Sandbox, closing: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    try {
      await sandbox.wait();
      return;
    } catch (error) {
      if (isGone(error)) return;
      await sleep(RETRY_MS, undefined, { ref: false });
    }
  }
}

/** Runs a command of this package; throws Fault `sandbox.died` (retryable) when it fails. */
export async function runOrThrow(
  box: Box,
  action: string,
  argv: readonly string[],
  openInput?: () => Readable,
): Promise<string> {
  const { code, stdout, stderr } = await box.run(argv, openInput);
  if (code === 0) return stdout;
  const tail = openTail(ERROR_TAIL_CHARS);
  tail.add(stderr);
  throw new Fault("sandbox.died", `could not ${action} in sandbox ${box.id} (exit ${code}): ${tail.text()}`, {
    retryable: true,
  });
}
