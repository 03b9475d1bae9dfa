import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack as openPack, type Headers, type Pack } from "tar-stream";

/** An entry of a tar stream: a file or folder of this machine, or a link to a path inside the sandbox. */
export type Packed =
  | { readonly name: string; readonly from: string }
  | { readonly name: string; readonly linkTo: string };

const READ_ONLY = 0o444;
const EXECUTABLE = 0o111;
/** Of all entries: copies of the same content differ in their times. */
const MTIME = new Date("2020-01-01T00:00:00Z");

/**
 * Packs files as a tar stream: owned by root, read-only, links unchanged. Sockets and other special files are left out.
 * The same files give the same stream. It fails when a file cannot be read.
 */
export function packFiles(all: readonly Packed[]): Readable {
  const pack = openPack();
  const work = async () => {
    for (const one of all) {
      if ("linkTo" in one) await addEmpty(pack, { name: one.name, type: "symlink", linkname: one.linkTo });
      else await addPath(pack, one.name, one.from);
    }
    pack.finalize();
  };
  const out = new PassThrough();
  // It may fail before it has a reader, which then finds it destroyed.
  out.on("error", () => undefined);
  pipeline(pack, out).catch(() => undefined);
  work().catch((error: Error) => out.destroy(error));
  return out;
}

async function addPath(pack: Pack, name: string, from: string): Promise<void> {
  const stat = await lstat(from);
  if (stat.isSymbolicLink()) {
    await addEmpty(pack, { name, type: "symlink", linkname: await readlink(from) });
  } else if (stat.isDirectory()) {
    await addEmpty(pack, { name, type: "directory", mode: READ_ONLY | EXECUTABLE | 0o200 });
    const entries = (await readdir(from)).toSorted();
    for (const entry of entries) await addPath(pack, join(name, entry), join(from, entry));
  } else if (stat.isFile()) {
    const mode = READ_ONLY | (stat.mode & EXECUTABLE ? EXECUTABLE : 0);
    await addFile(pack, { name, mode, size: stat.size }, from);
  }
}

function addEmpty(pack: Pack, header: Headers): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry({ ...header, mtime: MTIME, uid: 0, gid: 0 }, (error) => (error ? reject(error) : resolve()));
  });
}

async function addFile(pack: Pack, header: Headers, from: string): Promise<void> {
  const packed = Promise.withResolvers<void>();
  const entry = pack.entry({ ...header, mtime: MTIME, uid: 0, gid: 0 }, (error) =>
    error ? packed.reject(error) : packed.resolve(),
  );
  if (header.size === 0) entry.end();
  // A file that grew in between is packed up to its size in the header.
  else await pipeline(createReadStream(from, { end: (header.size ?? 0) - 1 }), entry);
  await packed.promise;
}
