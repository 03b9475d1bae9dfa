import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  opendirSync,
  type Stats,
} from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

export interface FolderBounds {
  readonly bytes: number;
  readonly entries: number;
  readonly depth: number;
}

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
/** Not in node:fs. It opens a folder that cannot be read. */
const O_PATH = 0o10000000;
const MAY_READ = 0o500;
const BLOCK_BYTES = 512;
/** What an entry takes at least: its inode. */
const ENTRY_BYTES = 1_024;
/** How long the walk may hold up this process at a time. */
const SLICE_MS = 4;

/**
 * Counts what the files of a folder take on the disk, in bytes. The walk ends early, with Infinity, when the folder is
 * beyond a bound. Programs may change the folder meanwhile: the walk goes from folder to folder by open descriptors and
 * follows no link, so that it does not leave the folder.
 */
export async function measureFolder(dir: string, bounds: FolderBounds): Promise<number> {
  const linked = new Set<string>();
  let bytes = 0;
  let entries = 0;
  let sliceEndsAt = performance.now() + SLICE_MS;
  const isBeyond = () => bytes > bounds.bytes || entries > bounds.entries;
  const count = (stats: Stats) => {
    entries += 1;
    if (stats.nlink > 1 && !stats.isDirectory()) {
      const inode = `${stats.dev}:${stats.ino}`;
      if (linked.has(inode)) return;
      linked.add(inode);
    }
    bytes += Math.max(stats.blocks * BLOCK_BYTES, ENTRY_BYTES);
  };
  const walk = async (folder: Buffer | string, depth: number): Promise<boolean> => {
    using open = openFolder(folder);
    if (open === null) return true;
    if (depth > bounds.depth) return false;
    count(open.stats);
    const at = `/proc/self/fd/${open.fd}/`;
    // With the encoding "buffer" names are bytes, which the types of node:fs do not know.
    const names = opendirSync(at, { encoding: "buffer" as BufferEncoding, bufferSize: 256 });
    try {
      for (let entry = names.readSync(); entry !== null; entry = names.readSync()) {
        const path = Buffer.concat([Buffer.from(at), entry.name as unknown as Buffer]);
        const stats = entry.isDirectory() ? null : statOf(path);
        if (stats !== null) count(stats);
        else if (!(await walk(path, depth + 1))) return false;
        if (isBeyond()) return false;
        if (performance.now() < sliceEndsAt) continue;
        await nextTurn();
        sliceEndsAt = performance.now() + SLICE_MS;
      }
    } finally {
      names.closeSync();
    }
    return !isBeyond();
  };
  return (await walk(dir, 0)) ? bytes : Infinity;
}

interface OpenFolder extends Disposable {
  readonly fd: number;
  readonly stats: Stats;
}

/** Null when it is gone or no folder. A folder that its owner has closed to himself is open until it is disposed. */
function openFolder(path: Buffer | string): OpenFolder | null {
  let handle: number | undefined;
  try {
    handle = openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    const self = `/proc/self/fd/${handle}`;
    const stats = fstatSync(handle);
    const mode = stats.mode & 0o7777;
    const isClosed = (mode & MAY_READ) !== MAY_READ;
    if (isClosed) chmodSync(self, mode | MAY_READ);
    // By the handle: at the path may be another folder by now.
    const fd = openSync(`${self}/.`, O_RDONLY | O_DIRECTORY);
    return {
      fd,
      stats,
      [Symbol.dispose]() {
        if (isClosed) chmodSync(`/proc/self/fd/${fd}`, mode);
        closeSync(fd);
      },
    };
  } catch {
    return null;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

function statOf(path: Buffer): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}
