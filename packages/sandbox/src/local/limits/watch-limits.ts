import { existsSync, readdirSync, statfsSync, statSync } from "node:fs";
import type { SandboxLimits } from "../../sandbox.ts";
import { decideOverrun, type Measured } from "./decide-overrun.ts";
import { measureFolder } from "./measure-folder.ts";
import { countedMemory, readProcesses, shareOfMemory, treeOf, type ProcessFacts } from "./process-tree.ts";

/** The limits whose overrun ends a sandbox. */
export type WatchedLimit = "memoryBytes" | "pids" | "diskBytes";

export interface Watched {
  readonly limits: SandboxLimits;
  /** The folder that `diskBytes` limits. */
  readonly folder: string;
  /** Whether memory and processes are measured here, because no control group limits them. */
  readonly measuresProcesses: boolean;
  /** The programs that run now; all other processes of the sandbox descend from them. */
  readonly roots: () => number[];
  /** Paths inside of the file systems that are memory, with their size limits. */
  readonly memoryFolders: ReadonlyMap<string, number>;
  readonly onOverrun: (limit: WatchedLimit) => void;
}

export interface Watch extends Disposable {
  /** The most memory that was measured; null before the first measurement. */
  memoryPeakBytes(): number | null;
}

/** Measures all sandboxes of a provider. */
export interface LimitWatcher {
  watch(watched: Watched): Watch;
}

const TICK_MS = 250;
/** The folder is measured this often, and at once when the disk has lost a part of the limit. */
const FOLDER_EVERY_MS = 10_000;
const FOLDER_AT_MOST_EVERY_MS = 1_000;
const NOTABLE_PART = 1 / 16;
const MAX_ENTRIES = 1_000_000;
const MAX_DEPTH = 256;
/** Memory of the kernel for a file of a file system that is memory. */
const INODE_BYTES = 1_024;

interface State {
  readonly watched: Watched;
  peak: number | null;
  ticksAtPids: number;
  folder: { at: number; freeBytes: number; freeEntries: number; running: boolean };
}

/** Whether processes can be measured here: /proc is readable. */
export function canMeasure(): boolean {
  return existsSync("/proc/self/status");
}

export function openLimitWatcher(): LimitWatcher {
  const states = new Set<State>();
  let timer: NodeJS.Timeout | undefined;

  const tick = () => {
    const running = [...states].map((state) => ({ state, roots: state.watched.roots() }));
    const active = running.filter(({ roots }) => roots.length > 0);
    const processes = active.some(({ state }) => state.watched.measuresProcesses) ? readProcesses() : [];
    for (const { state, roots } of active) {
      if (state.watched.measuresProcesses) checkProcesses(state, roots, processes);
      if (isFolderDue(state)) void checkFolder(state);
    }
  };
  const end = (state: State, limit: WatchedLimit) => {
    if (!states.delete(state)) return;
    state.watched.onOverrun(limit);
  };
  const checkProcesses = (state: State, roots: number[], processes: readonly ProcessFacts[]) => {
    const measured = measure(state.watched, roots, processes);
    state.peak = Math.max(state.peak ?? 0, measured.memoryBytes);
    state.ticksAtPids = measured.pids >= state.watched.limits.pids ? state.ticksAtPids + 1 : 0;
    const overrun = decideOverrun(measured, state.ticksAtPids, state.watched.limits);
    if (overrun !== null) end(state, overrun);
  };
  const checkFolder = async (state: State) => {
    const { watched, folder } = state;
    folder.running = true;
    try {
      const { diskBytes } = watched.limits;
      const bounds = { bytes: diskBytes, entries: MAX_ENTRIES, depth: MAX_DEPTH };
      const bytes = await measureFolder(watched.folder, bounds);
      if (bytes + unlinkedBytes(watched) > diskBytes) end(state, "diskBytes");
    } finally {
      Object.assign(folder, readFree(watched.folder), { running: false });
    }
  };

  return {
    watch(watched) {
      const folder = { ...readFree(watched.folder), running: false };
      const state: State = { watched, peak: null, ticksAtPids: 0, folder };
      states.add(state);
      timer ??= setInterval(tick, TICK_MS).unref();
      return {
        memoryPeakBytes: () => state.peak,
        [Symbol.dispose]() {
          states.delete(state);
          if (states.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      };
    },
  };
}

function measure(watched: Watched, roots: number[], processes: readonly ProcessFacts[]): Measured {
  const tree = treeOf(roots, processes);
  const files = roots.reduce((sum, root) => sum + memoryFolderBytes(watched, root, processes), 0);
  const sumOf = (count: (pid: number) => number) => tree.reduce((sum, { pid }) => sum + count(pid), files);
  let memoryBytes = sumOf(countedMemory);
  // Forked processes share pages: only the exact sum ends a sandbox.
  if (memoryBytes > watched.limits.memoryBytes) memoryBytes = sumOf(shareOfMemory);
  return { memoryBytes, pids: tree.reduce((sum, { threads }) => sum + threads, 0) };
}

/** Memory that a program's own file systems take. They are seen through a process inside, the child of the root. */
function memoryFolderBytes(watched: Watched, root: number, processes: readonly ProcessFacts[]): number {
  const inside = processes.find(({ parent }) => parent === root);
  if (inside === undefined) return 0;
  let bytes = 0;
  for (const [path, size] of watched.memoryFolders) {
    try {
      const { bsize, blocks, bfree, files, ffree } = statfsSync(`/proc/${inside.pid}/root${path}`);
      // While the sandbox is made, the host's own folder is at the path. It is not of this size.
      if (blocks * bsize === size) bytes += (blocks - bfree) * bsize + (files - ffree) * INODE_BYTES;
    } catch {
      // It has exited.
    }
  }
  return bytes;
}

/** Files that were removed while a program holds them open still take place on the disk. */
function unlinkedBytes({ roots, folder }: Watched): number {
  const seen = new Map<string, number>();
  const disk = statSync(folder, { throwIfNoEntry: false })?.dev;
  for (const { pid } of treeOf(roots(), readProcesses())) {
    for (const name of namesIn(`/proc/${pid}/fd`)) {
      try {
        const stats = statSync(`/proc/${pid}/fd/${name}`);
        if (stats.nlink === 0 && stats.dev === disk) seen.set(`${stats.ino}`, stats.blocks * 512);
      } catch {
        // It was closed.
      }
    }
  }
  return seen.values().reduce((sum, bytes) => sum + bytes, 0);
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** Whether the folder has not been measured for long, or the disk has less room since by a part of the limit. */
function isFolderDue({ watched, folder }: State): boolean {
  const age = performance.now() - folder.at;
  if (folder.running || age < FOLDER_AT_MOST_EVERY_MS) return false;
  if (age > FOLDER_EVERY_MS) return true;
  const now = readFree(watched.folder);
  const lost = folder.freeBytes - now.freeBytes;
  const added = folder.freeEntries - now.freeEntries;
  return lost > watched.limits.diskBytes * NOTABLE_PART || added > MAX_ENTRIES * NOTABLE_PART;
}

function readFree(dir: string): { at: number; freeBytes: number; freeEntries: number } {
  const at = performance.now();
  try {
    const { bavail, bsize, ffree } = statfsSync(dir);
    return { at, freeBytes: bavail * bsize, freeEntries: ffree };
  } catch {
    return { at, freeBytes: 0, freeEntries: 0 };
  }
}
