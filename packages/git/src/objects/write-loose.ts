import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflate, deflateSync } from "node:zlib";
import type { NewObject } from "./pack.ts";

/** A larger object is compressed in another thread; for a smaller one that would take longer. */
const COMPRESSED_HERE_BYTES = 64 * 1024;
const LEVEL = { level: 1 };
const deflateApart = promisify(deflate);

/** Writes objects as loose objects (gitrepository-layout). They are durable when this resolves. */
export async function writeLoose(
  dir: string,
  objects: readonly (readonly [string, NewObject])[],
): Promise<void> {
  await Promise.all(objects.map(([id, object]) => writeOne(join(dir, "objects"), id, object)));
}

async function writeOne(root: string, id: string, { type, body }: NewObject): Promise<void> {
  const folder = join(root, id.slice(0, 2));
  // Not recursive: when the repository was moved away, no new one may begin in its place.
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const fresh = join(folder, `tmp_obj_${randomUUID()}`);
  const file = await open(fresh, "wx", 0o444);
  try {
    const content = Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body]);
    const compress = content.length > COMPRESSED_HERE_BYTES ? deflateApart : deflateSync;
    await file.writeFile(await compress(content, LEVEL));
    await file.datasync();
  } finally {
    await file.close();
  }
  // The same id is the same content, so an object that exists may be replaced.
  await rename(fresh, join(folder, id.slice(2))).catch(async (error: unknown) => {
    await rm(fresh, { force: true });
    throw error;
  });
}
