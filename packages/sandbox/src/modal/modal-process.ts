import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import type { ContainerProcess } from "modal";
import { Fault } from "@agentswarm/contracts";
import { killOnTimeout } from "../kill-on-timeout.ts";
import type { Exit, SandboxProcess } from "../sandbox.ts";
import type { Box } from "./box.ts";
import { readWhenOpen, writeWhenOpen } from "./byte-streams.ts";
import { KILL, startCommand, type Start } from "./scripts.ts";

/** How long to wait for the exit of a killed program, and then for the end of its output. */
const EXIT_WAIT_MS = 5_000;
const OUTPUT_WAIT_MS = 1_000;
/** The SDK's exit code of a program that SIGKILL ended. */
const KILLED = 137;

export interface StartedModalProcess extends SandboxProcess {
  bytes(): { readonly in: number; readonly out: number };
  /** The fault of a program that was lost with its sandbox; null for any other exit. Known after its exit. */
  lost(): Fault | null;
}

/** Starts a program and returns at once; its streams wait until it runs. */
export function startModalProcess(
  box: Box,
  start: Start,
  options: { signal?: AbortSignal | undefined; timeoutMs?: number | undefined },
): StartedModalProcess {
  const starting = box.start(startCommand(start));
  starting.catch(() => undefined);
  const moved = { in: 0, out: 0 };
  const countOut = (bytes: number) => (moved.out += bytes);
  const stdin = writeWhenOpen(
    starting.then((process) => process.stdin),
    (bytes) => (moved.in += bytes),
  );
  const stdout = readWhenOpen(
    starting.then((process) => process.stdout),
    countOut,
  );
  const stderr = readWhenOpen(
    starting.then((process) => process.stderr),
    countOut,
  );
  const outputs = Promise.all([closeOf(stdout), closeOf(stderr)]);
  const over = new AbortController();
  let lost: Fault | null = null;
  let boxGone = false;
  let killed = false;

  const ending = waitFor(starting, over.signal).catch((error: unknown) => {
    if (!killed) lost = died(error);
    return null;
  });
  // Output without a reader must not block the exit.
  void ending.then(() => [stdout, stderr].forEach((stream) => stream.readableFlowing ?? stream.resume()));

  const gaveUp = Promise.withResolvers<void>();
  const giveUpSoon = async () => {
    await Promise.race([ending, wait(EXIT_WAIT_MS, over.signal)]);
    await Promise.race([outputs, wait(OUTPUT_WAIT_MS, over.signal)]);
    gaveUp.resolve();
  };
  const kill = () => {
    if (killed || over.signal.aborted) return;
    killed = true;
    void starting.then(() => box.run(["sh", "-c", KILL, "sh", start.groupFile])).catch(() => undefined);
    void giveUpSoon();
  };
  void box.ended.then(() => {
    boxGone = true;
    if (!over.signal.aborted) void giveUpSoon();
  });

  const watch = killOnTimeout(options, kill);

  const exit = (async (): Promise<Exit> => {
    await Promise.race([Promise.all([ending, outputs]), gaveUp.promise]);
    const code = await Promise.race([ending, gaveUp.promise.then(() => null)]);
    const byForce = code === null || code === KILLED;
    // That the whole sandbox was killed, and not only the program, may become known a moment later.
    if (byForce && !killed) await Promise.race([box.ended, wait(OUTPUT_WAIT_MS, over.signal)]);
    if (byForce && !killed && boxGone) lost ??= died(new Error("the sandbox is gone"));
    over.abort();
    watch[Symbol.dispose]();
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
    return byForce
      ? { code: null, signal: "SIGKILL", timedOut: watch.timedOut }
      : { code, signal: null, timedOut: watch.timedOut };
  })();
  return { stdin, stdout, stderr, exit, kill, bytes: () => moved, lost: () => lost };
}

async function waitFor(
  starting: Promise<ContainerProcess<Uint8Array>>,
  signal: AbortSignal,
): Promise<number | null> {
  const process = await starting;
  const aborted = new Promise<null>((resolve) => signal.addEventListener("abort", () => resolve(null)));
  // Without a signal the SDK would poll for ever when the machine of the sandbox is gone.
  return Promise.race([process._wait(signal), aborted]);
}

function died(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new Fault("sandbox.died", `a program was lost with its sandbox: ${reason}`, {
    retryable: true,
    cause: error,
  });
}

function closeOf(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once("close", resolve));
}

const wait = (ms: number, signal: AbortSignal) =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
