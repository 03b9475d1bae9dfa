import type { App, Image, ModalClient } from "modal";
import type { Mount } from "../sandbox.ts";
import { BASE_COMMANDS } from "./base-image.ts";
import { isGone } from "./box.ts";
import { retryWhileBusy, type BackOff } from "./retry-while-busy.ts";
import { nameOfContent, type SnapshotIndex } from "./snapshot-index.ts";

export interface Images {
  /** Returns an image with the content of these mounts, each of which has a key; makes it when there is none. */
  imageWith(mounts: readonly Mount[]): Promise<Image>;
  /** Makes the next `imageWith` build the image again; false when there was none of these mounts. */
  discard(mounts: readonly Mount[]): boolean;
}

/**
 * Opens the base image and snapshots of it with content. `fill` opens a sandbox from the base, copies the mounts into it
 * and returns the id of its snapshot.
 */
export function openImages(options: {
  client: ModalClient;
  app: App;
  from: string;
  snapshots: SnapshotIndex;
  backOff: BackOff;
  fill: (base: Image, mounts: readonly Mount[]) => Promise<string>;
}): Images {
  const { client, app, from, snapshots, backOff, fill } = options;
  const known = new Map<string, Promise<Image>>();
  const nameOf = (mounts: readonly Mount[]) => nameOfContent([app.appId, from, ...BASE_COMMANDS], mounts);

  /** Concurrent callers share one build; after a failure the next caller retries. */
  const once = (name: string, make: () => Promise<Image>): Promise<Image> => {
    const building = known.get(name) ?? make();
    known.set(name, building);
    building.catch(() => known.delete(name));
    return building;
  };
  const base = () =>
    once("base", async () => {
      const image = client.images.fromRegistry(from).dockerfileCommands([...BASE_COMMANDS]);
      return retryWhileBusy("build the image", () => image.build(app), backOff);
    });
  const findSnapshot = async (name: string): Promise<Image | null> => {
    const imageId = snapshots.find(name);
    if (imageId === null) return null;
    try {
      return await retryWhileBusy("find a snapshot", () => client.images.fromId(imageId), backOff);
    } catch (error) {
      if (!isGone(error)) throw error;
      snapshots.remove(name);
      return null;
    }
  };
  return {
    imageWith(mounts) {
      if (mounts.length === 0) return base();
      const name = nameOf(mounts);
      return once(name, async () => {
        const found = await findSnapshot(name);
        if (found !== null) return found;
        const imageId = await fill(await base(), mounts);
        snapshots.put(name, imageId, mounts);
        return retryWhileBusy("find a snapshot", () => client.images.fromId(imageId), backOff);
      });
    },
    discard(mounts) {
      if (mounts.length === 0) return false;
      const name = nameOf(mounts);
      snapshots.remove(name);
      return known.delete(name);
    },
  };
}
