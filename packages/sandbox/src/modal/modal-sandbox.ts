import { posix } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseCgroupFigures, PRINT_FIGURES, UNKNOWN_FIGURES, type CgroupFigures } from "../cgroup-figures.ts";
import { openRunningProcesses } from "../running-processes.ts";
import { runToEnd } from "../run-to-end.ts";
import type { ExecOptions, Sandbox, SandboxLimits } from "../sandbox.ts";
import { runOrThrow, type Box } from "./box.ts";
import { figuresSince } from "./figures-since.ts";
import { startModalProcess, type StartedModalProcess } from "./modal-process.ts";
import { estimateCostUsd } from "./prices.ts";
import { PREPARE, type Guest } from "./scripts.ts";

/** The end of a sandbox waits at most this long for its figures. */
const FIGURES_TIMEOUT_MS = 3_000;

/** Paths and facts of a sandbox, as the PREPARE script printed them inside. */
export interface Places {
  readonly workDir: string;
  /** The folder that holds the process group of each program. */
  readonly groups: string;
  readonly home: string;
  readonly path: string;
  /** Whether commands run as root there; only then can programs run as another user. */
  readonly isRoot: boolean;
  /** What the control groups had counted before any program ran. */
  readonly figures: CgroupFigures;
}

export async function prepare(box: Box): Promise<Places> {
  const printed = await runOrThrow(box, "prepare folders", ["sh", "-c", PREPARE]);
  const [workDir = "", groups = "", home = "", path = "", user, ...counted] = printed.split("\n");
  const figures = parseCgroupFigures(counted.join("\n"));
  return { workDir, groups, home, path, isRoot: user === "0", figures };
}

export interface ModalSandboxOptions {
  readonly places: Places;
  readonly guest: Guest | null;
  readonly limits: SandboxLimits;
  readonly reserved: { readonly cores: number; readonly memoryBytes: number };
  /** When `open` was called, by performance.now(). */
  readonly openedAt: number;
}

/** Gives a prepared sandbox of Modal's the interface of every provider's sandboxes. */
export function openModalSandbox(box: Box, options: ModalSandboxOptions): Sandbox {
  const { places, guest, limits, reserved, openedAt } = options;
  const readyMs = performance.now() - openedAt;
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
        groupFile: posix.join(places.groups, String(started)),
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
  let used: CgroupFigures | undefined;
  const readFigures = async (): Promise<CgroupFigures> => {
    const bounds = () => ({ ...limits, aliveMs: performance.now() - openedAt });
    const reading = box.run(PRINT_FIGURES).then(
      ({ stdout }) => figuresSince(places.figures, parseCgroupFigures(stdout), bounds()),
      () => UNKNOWN_FIGURES,
    );
    const gaveUp = Promise.race([box.ended, sleep(FIGURES_TIMEOUT_MS, undefined, { ref: false })]);
    return Promise.race([reading, gaveUp.then(() => UNKNOWN_FIGURES)]);
  };
  let terminating = false;
  let ended: Promise<void> | undefined;
  const end = async () => {
    clearTimeout(deadline);
    const exits = running.ended();
    used ??= await readFigures();
    await box.terminate();
    aliveMs = performance.now() - openedAt;
    await exits;
  };
  const terminate = () => {
    terminating = true;
    ended ??= end().catch((error: unknown) => {
      // The next call retries.
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
      const lost = terminating ? null : child.lost();
      if (lost !== null) throw lost;
      return result;
    },
    async figures() {
      const now = used ?? (await readFigures());
      const costUsd = estimateCostUsd({
        aliveMs: aliveMs ?? performance.now() - openedAt,
        ...reserved,
        ...now,
      });
      return { readyMs, ...now, ...running.figures(), costUsd };
    },
    terminate,
  };
}
