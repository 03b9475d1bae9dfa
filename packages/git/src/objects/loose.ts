import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import type { NewObject } from "./pack.ts";

/** Writes objects as files of their own (gitrepository-layout), durable when it resolves. */
export async function writeLoose(
  dir: string,
  objects: readonly (readonly [string, NewObject])[],
): Promise<void> {
  await Promise.all(objects.map(([id, object]) => writeOne(join(dir, "objects"), id, object)));
}

async function writeOne(root: string, id: string, { type, body }: NewObject): Promise<void> {
  const folder = join(root, id.slice(0, 2));
  // Not with its parents: where the repository has been put away, none is to be begun in its place.
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
  // The same id is the same content: whoever was first, it is right.
  await rename(fresh, join(folder, id.slice(2))).catch(async (error: unknown) => {
    await rm(fresh, { force: true });
    throw error;
  });
}
