import { realpath, stat } from "node:fs/promises";
import { Fault } from "@agentswarm/contracts";
import type { Mount } from "../sandbox.ts";
import { contentPath, type ContainerHost, type HeldContent } from "./container-host.ts";
import { packFiles, type Packed } from "./pack-files.ts";

/** Mounts, sorted by how they get in. */
export interface Carried {
  /** Held by the host under their keys by now. */
  readonly contents: readonly HeldContent[];
  /** To be put into the work folder once the container runs. */
  readonly files: readonly Packed[];
}

/** What content is called that is a single file. */
const FILE = "file";
const KEY = /^[a-zA-Z0-9-]{1,100}$/;

/** Carries what mounts name to a host that sees none of this machine's folders; content with a key once for all. */
export function openCarrier(host: ContainerHost): (mounts: readonly Mount[]) => Promise<Carried> {
  /** Keys that are known to be held, or on their way. */
  const carrying = new Map<string, Promise<void>>();

  const hold = async (key: string, packed: Packed) => {
    if (await host.hasContent(key)) return;
    await host.putContent(key, packFiles([packed]));
  };
  const holdOnce = async (key: string, packed: Packed) => {
    const running = carrying.get(key);
    if (running !== undefined) return running;
    const work = hold(key, packed).finally(() => carrying.delete(key));
    carrying.set(key, work);
    return work;
  };

  const carry = async ({ from, at, key }: Mount): Promise<Carried> => {
    const path = await realpath(from);
    if (key === undefined) return { contents: [], files: [{ name: at, from: path }] };
    if (!KEY.test(key))
      throw new Fault("internal", `a mount's key may hold letters, digits and dashes: ${key}`);
    const isFolder = (await stat(path)).isDirectory();
    await holdOnce(key, { name: isFolder ? "." : FILE, from: path });
    if (isFolder) return { contents: [{ key, at }], files: [] };
    // A volume is always a folder, so a single file is seen by way of a link.
    return { contents: [{ key }], files: [{ name: at, linkTo: `${contentPath(key)}/${FILE}` }] };
  };
  return async (mounts) => {
    const carried = await Promise.all(mounts.map(carry));
    return {
      contents: carried.flatMap((one) => one.contents),
      files: carried.flatMap((one) => one.files),
    };
  };
}
