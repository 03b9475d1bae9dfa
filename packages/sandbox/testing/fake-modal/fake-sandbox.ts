import { cp, mkdir, readdir, readlink, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startFakeProcess, type FakeProcess } from "./fake-process.ts";

const KILL_TRIES = 80;

/** How a sandbox ended, in Modal's numbers. */
export const TERMINATED = { status: 3, exitcode: 137 };
const TIMED_OUT = { status: 4, exitcode: 124 };

export interface FakeSandboxOptions {
  readonly id: string;
  readonly root: string;
  /** A folder that comes first in PATH. */
  readonly programs: string;
  readonly tags: readonly { tagName: string; tagValue: string }[];
  readonly workdir: string;
  readonly timeoutSecs: number;
  /** The folder of the snapshot that it starts from; null for a base image. */
  readonly image: string | null;
}

export type FakeSandbox = Awaited<ReturnType<typeof openFakeSandbox>>;

/** Opens a folder of this machine in which processes run. Nothing is isolated, and only the time is limited. */
export async function openFakeSandbox(options: FakeSandboxOptions) {
  const { id, root, workdir, timeoutSecs, image } = options;
  if (image !== null) await cp(image, root, { recursive: true, verbatimSymlinks: true });
  const work = join(root, workdir);
  const temporary = join(root, "tmp");
  await mkdir(work, { recursive: true });
  await mkdir(temporary, { recursive: true });
  const processes = new Map<string, FakeProcess>();
  const end = Promise.withResolvers<typeof TERMINATED>();
  let over = false;

  const terminate = async (result = TERMINATED) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    await killAllIn(root);
    for (const process of processes.values()) process.closeStreams();
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
    end.resolve(result);
  };
  const timer = setTimeout(() => void terminate(TIMED_OUT), timeoutSecs * 1_000);

  return {
    id,
    root,
    createdAt: Date.now() / 1_000,
    tags: options.tags,
    processes,
    ended: end.promise,
    isOver: () => over,
    start(execId: string, argv: readonly string[]) {
      const path = [options.programs, dirname(process.execPath), process.env["PATH"]].join(":");
      const env = { PATH: path, TMPDIR: temporary, HOME: temporary };
      if (!processes.has(execId)) processes.set(execId, startFakeProcess(argv, work, env));
    },
    terminate: () => terminate(),
  };
}

/** Kills every process whose current folder is below `root`, also in groups and sessions of their own. */
async function killAllIn(root: string): Promise<void> {
  for (let tries = 0; tries < KILL_TRIES; tries += 1) {
    const found = await processesIn(root);
    if (found.length === 0) return;
    for (const pid of found) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It exited in between.
      }
    }
    await sleep(10);
  }
}

async function processesIn(root: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => "")));
  return pids.filter((_, at) => `${folders[at]}/`.startsWith(`${root}/`)).map(Number);
}
