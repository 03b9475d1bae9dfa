import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import type { NewObject } from "./pack.ts";

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
    await file.writeFile(
      deflateSync(Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body]), { level: 1 }),
    );
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
