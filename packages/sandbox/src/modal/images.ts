import type { App, Image, ModalClient } from "modal";
import type { Mount } from "../sandbox.ts";
import { whenFree, type BackOff } from "./back-off.ts";
import { BASE_COMMANDS } from "./base-image.ts";
import { isGone } from "./box.ts";
import { nameOfContent, type ImageNotes } from "./image-notes.ts";

export interface Images {
  /** An image that holds these mounts' content, made when there is none yet; each of them has a key. */
  holding(mounts: readonly Mount[]): Promise<Image>;
  /** Whether the image was one of ours; it is made anew when asked for next. */
  forget(mounts: readonly Mount[]): boolean;
}

/**
 * The base image, and snapshots of it with content in. `fill` opens a sandbox from the base, puts the mounts in and
 * gives the snapshot's id.
 */
export function openImages(options: {
  client: ModalClient;
  app: App;
  from: string;
  notes: ImageNotes;
  backOff: BackOff;
  fill: (base: Image, mounts: readonly Mount[]) => Promise<string>;
}): Images {
  const { client, app, from, notes, backOff, fill } = options;
  const known = new Map<string, Promise<Image>>();
  const nameOf = (mounts: readonly Mount[]) => nameOfContent([app.appId, from, ...BASE_COMMANDS], mounts);

  /** Callers at the same time share one making; one that failed is tried anew by the next. */
  const once = (name: string, make: () => Promise<Image>): Promise<Image> => {
    const making = known.get(name) ?? make();
    known.set(name, making);
    making.catch(() => known.delete(name));
    return making;
  };
  const base = () =>
    once("base", async () => {
      const image = client.images.fromRegistry(from).dockerfileCommands([...BASE_COMMANDS]);
      return whenFree("build the image", () => image.build(app), backOff);
    });
  const noted = async (name: string): Promise<Image | null> => {
    const imageId = notes.find(name);
    if (imageId === null) return null;
    try {
      return await whenFree("find a snapshot", () => client.images.fromId(imageId), backOff);
    } catch (error) {
      if (!isGone(error)) throw error;
      notes.forget(name);
      return null;
    }
  };
  return {
    holding(mounts) {
      if (mounts.length === 0) return base();
      const name = nameOf(mounts);
      return once(name, async () => {
        const found = await noted(name);
        if (found !== null) return found;
        const imageId = await fill(await base(), mounts);
        notes.keep(name, imageId, mounts);
        return whenFree("find a snapshot", () => client.images.fromId(imageId), backOff);
      });
    },
    forget(mounts) {
      if (mounts.length === 0) return false;
      const name = nameOf(mounts);
      notes.forget(name);
      return known.delete(name);
    },
  };
}
