import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A disk that is small enough to be filled. */
export interface SmallDisk extends Disposable {
  fill(): void;
  free(): void;
}

const CHUNK = Buffer.alloc(1 << 20);

/** Mounts a disk in memory at a folder; null where this user may not mount. */
export function mountSmallDisk(at: string, mib: number): SmallDisk | null {
  mkdirSync(at, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "none", at], { stdio: "ignore" });
  } catch {
    return null;
  }
  const filler = join(at, "filler");
  return {
    fill() {
      const file = openSync(filler, "w");
      try {
        for (;;) writeSync(file, CHUNK);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    [Symbol.dispose]: () => void execFileSync("umount", ["--lazy", at]),
  };
}
