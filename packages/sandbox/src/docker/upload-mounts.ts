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
 * several sandboxes need it at the same time.
 */
export function openMountUploader(
  host: ContainerHost,
): (mounts: readonly Mount[]) => Promise<UploadedMounts> {
  /** Uploads that are under way, by key. */
  const uploading = new Map<string, Promise<void>>();

  const upload = async (key: string, packed: Packed) => {
    if (await host.hasContent(key)) return;
    await host.putContent(key, packFiles([packed]));
  };
  const uploadOnce = async (key: string, packed: Packed) => {
    const running = uploading.get(key);
    if (running !== undefined) return running;
    const work = upload(key, packed).finally(() => uploading.delete(key));
    uploading.set(key, work);
    return work;
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
    await uploadOnce(key, { name: isFolder ? "." : FILE, from: path });
    if (isFolder) return { contents: [{ key, at }], files: [] };
    // A volume is always a folder, so a single file is reached through a link.
    return { contents: [{ key }], files: [{ name: at, linkTo: `${contentPath(key)}/${FILE}` }] };
  };
  return async (mounts) => {
    const all = await Promise.all(mounts.map(prepare));
    return {
      contents: all.flatMap((one) => one.contents),
      files: all.flatMap((one) => one.files),
    };
  };
}
