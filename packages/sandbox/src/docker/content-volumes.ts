import type Docker from "dockerode";
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";

/** Content by key, in volumes that are filled once and are read-only afterwards. */
export interface ContentVolumes {
  /** Returns the volume that holds the complete content of the key; null when there is none. */
  volumeOf(key: string): Promise<string | null>;
  /** Stores the content of the tar stream. On an error nothing is kept. */
  put(key: string, tar: Readable): Promise<void>;
  /** Removes content that is a week old and in no container, and volumes that were never filled. */
  clean(now: number): Promise<void>;
}

const WEEK_MS = 7 * 24 * 3_600_000;
const HOUR_MS = 3_600_000;
const FILL = "/fill";

/**
 * A volume can be neither renamed nor relabelled, so a second, empty volume marks the first one as filled: its name holds
 * the key and its label names the filled volume. It is created after the filling. Of several uploads of one key, the one
 * whose second volume is created first is kept.
 */
export function openContentVolumes(docker: Docker, image: string, prefix = "agentswarm"): ContentVolumes {
  const [KIND, HOLDS] = [`${prefix}.content`, `${prefix}.holds`];
  const pointerOf = (key: string) => `${prefix}-content-${key}`;
  const volumeOf = async (key: string) => {
    const pointer = await orNull(docker.getVolume(pointerOf(key)).inspect());
    return pointer?.Labels?.[HOLDS] ?? null;
  };
  const remove = (name: string) =>
    docker
      .getVolume(name)
      .remove()
      .then(
        () => true,
        () => false,
      );

  return {
    volumeOf,
    async put(key, tar) {
      const complete = finished(tar, { writable: false });
      complete.catch(() => undefined);
      const name = `${prefix}-data-${randomUUID()}`;
      await docker.createVolume({ Name: name, Labels: { [KIND]: key } });
      try {
        await fill(docker, image, name, tar, complete);
        await docker.createVolume({ Name: pointerOf(key), Labels: { [KIND]: key, [HOLDS]: name } });
      } catch (error) {
        await remove(name);
        throw error;
      }
      if ((await volumeOf(key)) !== name) await remove(name);
    },
    async clean(now) {
      const { Volumes } = await docker.listVolumes({ filters: { label: [KIND] } });
      const ageOf = (volume: object) =>
        now - Date.parse((volume as { CreatedAt?: string }).CreatedAt ?? new Date(now).toISOString());
      const held = new Set(Volumes.flatMap((volume) => volume.Labels?.[HOLDS] ?? []));
      for (const volume of Volumes) {
        const holds = volume.Labels?.[HOLDS];
        if (holds === undefined) {
          if (!held.has(volume.Name) && ageOf(volume) > HOUR_MS) await remove(volume.Name);
        } else if (ageOf(volume) > WEEK_MS && !(await isInUse(docker, holds))) {
          // The pointer first: a process that looked it up before sees that it is missing and retries.
          await remove(volume.Name);
          await remove(holds);
        }
      }
    },
  };
}

/** Fills a volume through a container that is never started: the engine unpacks the tar stream, and no program runs. */
async function fill(
  docker: Docker,
  image: string,
  volume: string,
  tar: Readable,
  complete: Promise<void>,
): Promise<void> {
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: [],
    Cmd: ["true"],
    Labels: { "agentswarm.filler": volume },
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: "none",
      CapDrop: ["ALL"],
      Binds: [],
      Mounts: [{ Type: "volume", Source: volume, Target: FILL }],
    },
  });
  try {
    // The engine would wait forever for a stream that has already failed.
    if (tar.destroyed && !tar.readableEnded) await complete;
    await Promise.all([container.putArchive(tar, { path: FILL }), complete]);
  } finally {
    await container.remove({ force: true });
  }
}

async function isInUse(docker: Docker, volume: string): Promise<boolean> {
  const users = await docker.listContainers({ all: true, filters: { volume: [volume] } });
  return users.length > 0;
}

async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return null;
    throw error;
  }
}
