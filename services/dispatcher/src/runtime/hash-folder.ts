import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** Hashes the content of a folder (paths, contents, links, execute bits), independent of where the folder lies. */
export async function hashFolder(dir: string): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(dir, { recursive: true });
  for (const path of entries.toSorted()) {
    const at = join(dir, path);
    const found = await lstat(at);
    const head = (kind: string, bytes: number) => hash.update(`${kind} ${bytes} ${path}\0`);
    if (found.isSymbolicLink()) head("link", 0).update(`${await readlink(at)}\0`);
    else if (found.isFile()) {
      head((found.mode & 0o111) === 0 ? "file" : "program", found.size);
      await pipeline(createReadStream(at, { highWaterMark: 1 << 20 }), async (chunks) => {
        for await (const chunk of chunks) hash.update(chunk as Buffer);
      });
    } else if (found.isDirectory()) head("dir", 0);
  }
  return hash.digest("hex").slice(0, 32);
}
