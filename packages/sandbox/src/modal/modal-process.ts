import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import type { ContainerProcess } from "modal";
import { Fault } from "@agentswarm/contracts";
import type { Exit, SandboxProcess } from "../sandbox.ts";
import type { Box } from "./box.ts";
import { readWhenOpen, writeWhenOpen } from "./byte-streams.ts";
import { KILL, startCommand, type Start } from "./scripts.ts";
import { killWhenOver } from "../kill-when-over.ts";

/** How long a killed program's end, and then the end of its output, is waited for. */
const GONE_WITHIN_MS = 5_000;
const LETTING_GO_MS = 1_000;
/** What the SDK says of a program that SIGKILL ended. */
const KILLED = 137;

export interface StartedModalProcess extends SandboxProcess {
  bytes(): { readonly in: number; readonly out: number };
  /** Why it ended, when neither itself nor any of ours did that; known after its exit. */
  lost(): Fault | null;
}

/** Starts a program in a sandbox at once; its streams wait until it runs. */
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
  // What nobody reads must not hold up the end.
  void ending.then(() => [stdout, stderr].forEach((stream) => stream.readableFlowing ?? stream.resume()));

  const letGo = Promise.withResolvers<void>();
  const letGoSoon = async () => {
    await Promise.race([ending, nap(GONE_WITHIN_MS, over.signal)]);
    await Promise.race([outputs, nap(LETTING_GO_MS, over.signal)]);
    letGo.resolve();
  };
  const kill = () => {
    if (killed || over.signal.aborted) return;
    killed = true;
    void starting.then(() => box.run(["sh", "-c", KILL, "sh", start.note])).catch(() => undefined);
    void letGoSoon();
  };
  void box.ended.then(() => {
    boxGone = true;
    if (!over.signal.aborted) void letGoSoon();
  });

  const watch = killWhenOver(options, kill);

  const exit = (async (): Promise<Exit> => {
    await Promise.race([Promise.all([ending, outputs]), letGo.promise]);
    const code = await Promise.race([ending, letGo.promise.then(() => null)]);
    const byForce = code === null || code === KILLED;
    // Whether the program was killed or its whole sandbox may become known a moment later.
    if (byForce && !killed) await Promise.race([box.ended, nap(LETTING_GO_MS, over.signal)]);
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
  const gaveUp = new Promise<null>((resolve) => signal.addEventListener("abort", () => resolve(null)));
  // Without a signal the SDK would go on asking for ever when the sandbox's machine is gone.
  return Promise.race([process._wait(signal), gaveUp]);
}

function died(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const said = error instanceof Error ? error.message : String(error);
  return new Fault("sandbox.died", `a program was lost with its sandbox: ${said}`, {
    retryable: true,
    cause: error,
  });
}

function closeOf(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once("close", resolve));
}

const nap = (ms: number, signal: AbortSignal) =>
  sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
