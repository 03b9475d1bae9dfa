import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { Fault } from "@agentswarm/contracts";
import type { Mount } from "../sandbox.ts";
import { contentPath, type ContainerHost, type HeldContent } from "./container-host.ts";
import { packFiles, type Packed } from "./pack-files.ts";

/** How mounts get into a container. */
export interface UploadedMounts {
  /** Content that the host now holds under its keys. */
  readonly contents: readonly HeldContent[];
  /** To be unpacked into the work folder once the container runs. */
  readonly files: readonly Packed[];
}

/** Name of a single file within its content. */
const FILE = "file";
const KEY = /^[a-zA-Z0-9-]{1,100}$/;

/**
 * Uploads mounts to a host that has no access to this machine's folders. Content with a key is uploaded once, also when
 * several sandboxes need it at the same time. The host knows it by its SHA-256, so that nobody can put something else
 * under the name that others will ask for.
 */
export function openMountUploader(
  host: ContainerHost,
): (mounts: readonly Mount[]) => Promise<UploadedMounts> {
  /** Uploads that are under way, by hash. */
  const uploading = new Map<string, Promise<void>>();

  /** Hashes of content, by its key: what has a key does not change. */
  const hashes = new Map<string, Promise<string>>();

  const hashOf = async (key: string, packed: Packed) => {
    const hash = hashes.get(key) ?? hashContent(packed);
    hashes.set(key, hash);
    return hash;
  };
  const upload = async (hash: string, packed: Packed) => {
    if (await host.hasContent(hash)) return;
    await host.putContent(hash, packFiles([packed]));
  };
  const uploadOnce = async (key: string, packed: Packed): Promise<string> => {
    try {
      const hash = await hashOf(key, packed);
      const work = uploading.get(hash) ?? upload(hash, packed).finally(() => uploading.delete(hash));
      uploading.set(hash, work);
      await work;
      return hash;
    } catch (error) {
      // It may have changed in between.
      hashes.delete(key);
      throw error;
    }
  };

  const prepare = async ({ from, at, key }: Mount): Promise<UploadedMounts> => {
    const path = await realpath(from);
    if (key === undefined) return { contents: [], files: [{ name: at, from: path }] };
    if (!KEY.test(key))
      throw new Fault(
        "internal",
        `invalid key of a mount: ${key}: use letters, digits and '-', at most 100 characters`,
      );
    const isFolder = (await stat(path)).isDirectory();
    const hash = await uploadOnce(key, { name: isFolder ? "." : FILE, from: path });
    if (isFolder) return { contents: [{ key: hash, at }], files: [] };
    // A volume is always a folder, so a single file is reached through a link.
    return { contents: [{ key: hash }], files: [{ name: at, linkTo: `${contentPath(hash)}/${FILE}` }] };
  };
  return async (mounts) => {
    const all = await Promise.all(mounts.map(prepare));
    return {
      contents: all.flatMap((one) => one.contents),
      files: all.flatMap((one) => one.files),
    };
  };
}

async function hashContent(packed: Packed): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of packFiles([packed])) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
