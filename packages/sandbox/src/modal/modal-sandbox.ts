import { posix } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openRunningProcesses } from "../running-processes.ts";
import { runToEnd } from "../run-to-end.ts";
import type { ExecOptions, Sandbox, SandboxLimits } from "../sandbox.ts";
import { mustRun, type Box } from "./box.ts";
import { startModalProcess, type StartedModalProcess } from "./modal-process.ts";
import { estimateCostUsd } from "./prices.ts";
import { parseUse, READ_USE, useSince, type Use } from "./read-use.ts";
import { PREPARE, type Guest } from "./scripts.ts";

/** The end of a sandbox does not wait longer for what it took. */
const USE_WITHIN_MS = 3_000;
const UNKNOWN: Use = { cpuMs: null, memoryPeakBytes: null };

/** Where things lie in a sandbox, by its own word. */
export interface Places {
  readonly workDir: string;
  readonly notes: string;
  readonly home: string;
  readonly path: string;
  /** Whether we are root there; only then can the guest be somebody else. */
  readonly isRoot: boolean;
  /** What the control groups had counted before anything ran. */
  readonly use: Use;
}

export async function prepare(box: Box): Promise<Places> {
  const said = await mustRun(box, "make things ready", ["sh", "-c", PREPARE]);
  const [workDir = "", notes = "", home = "", path = "", user, ...counted] = said.split("\n");
  return { workDir, notes, home, path, isRoot: user === "0", use: parseUse(counted.join("\n")) };
}

export interface ModalSandboxOptions {
  readonly places: Places;
  readonly guest: Guest | null;
  readonly limits: SandboxLimits;
  readonly reserved: { readonly cores: number; readonly memoryBytes: number };
  /** When it was asked for, by performance.now(). */
  readonly askedAt: number;
}

/** A sandbox of Modal's that is ready, as every provider's looks. */
export function openModalSandbox(box: Box, options: ModalSandboxOptions): Sandbox {
  const { places, guest, limits, reserved, askedAt } = options;
  const readyMs = performance.now() - askedAt;
  const running = openRunningProcesses<StartedModalProcess>();
  let started = 0;
  const basics = {
    PATH: `${posix.join(places.workDir, "node_modules/.bin")}:${places.path}`,
    HOME: places.home,
    LANG: "C.UTF-8",
    TMPDIR: "/tmp",
  };

  const exec = (argv: readonly string[], { cwd, env, signal, timeoutMs }: ExecOptions = {}) => {
    started += 1;
    const child = startModalProcess(
      box,
      {
        note: posix.join(places.notes, String(started)),
        cwd: posix.join(places.workDir, cwd ?? "."),
        env: { ...basics, ...env },
        guest: places.isRoot ? guest : null,
        argv,
      },
      { signal, timeoutMs },
    );
    return running.add(child);
  };

  let aliveMs: number | undefined;
  let used: Use | undefined;
  const readUse = async (): Promise<Use> => {
    const asking = box.run(["sh", "-c", READ_USE]).then(
      ({ stdout }) =>
        useSince(places.use, parseUse(stdout), { ...limits, aliveMs: performance.now() - askedAt }),
      () => UNKNOWN,
    );
    return Promise.race([asking, box.ended.then(() => UNKNOWN), nap(USE_WITHIN_MS).then(() => UNKNOWN)]);
  };
  let asked = false;
  let ended: Promise<void> | undefined;
  const end = async () => {
    clearTimeout(deadline);
    const exits = running.ended();
    used ??= await readUse();
    await box.terminate();
    aliveMs = performance.now() - askedAt;
    await exits;
  };
  const terminate = () => {
    asked = true;
    ended ??= end().catch((error: unknown) => {
      // The next who asks tries again.
      ended = undefined;
      throw error;
    });
    return ended;
  };
  const deadline = setTimeout(() => void terminate().catch(() => undefined), limits.wallMs);

  return {
    id: box.id,
    workDir: places.workDir,
    exec,
    async run(argv, execOptions) {
      const child = exec(argv, execOptions);
      const result = await runToEnd(child);
      const lost = asked ? null : child.lost();
      if (lost !== null) throw lost;
      return result;
    },
    async figures() {
      const use = used ?? (await readUse());
      const costUsd = estimateCostUsd({
        aliveMs: aliveMs ?? performance.now() - askedAt,
        ...reserved,
        ...use,
      });
      return { readyMs, ...use, ...running.figures(), costUsd };
    },
    terminate,
  };
}

const nap = (ms: number) => sleep(ms, undefined, { ref: false });
