import type Docker from "dockerode";
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";

/** Content by key, in volumes that are filled once and then only read. */
export interface ContentVolumes {
  /** The volume that holds the key's content as a whole; null when there is none. */
  volumeOf(key: string): Promise<string | null>;
  put(key: string, tar: Readable): Promise<void>;
  /** Removes what has been there for a week and is in no container, and what was never filled. */
  clean(now: number): Promise<void>;
}

const WEEK_MS = 7 * 24 * 3_600_000;
const HOUR_MS = 3_600_000;
const FILL = "/fill";

/**
 * A volume cannot be renamed nor labelled again, so "filled" is told by a second, empty one: it bears the key as its
 * name and the full one's name as its label, and is made after the other was filled. Whoever makes it first has won.
 */
export function openContentVolumes(docker: Docker, image: string, prefix = "agentswarm"): ContentVolumes {
  const [KIND, HOLDS] = [`${prefix}.content`, `${prefix}.holds`];
  const pointerOf = (key: string) => `${prefix}-content-${key}`;
  const volumeOf = async (key: string) => {
    const pointer = await ifThere(docker.getVolume(pointerOf(key)).inspect());
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
      const whole = finished(tar, { writable: false });
      whole.catch(() => undefined);
      const name = `${prefix}-data-${randomUUID()}`;
      await docker.createVolume({ Name: name, Labels: { [KIND]: key } });
      try {
        await fill(docker, image, name, tar, whole);
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
          // The pointer first: whoever asked before sees by its absence that it must ask again.
          await remove(volume.Name);
          await remove(holds);
        }
      }
    },
  };
}

/** Through a container that is never started: the engine itself unpacks, and nothing runs. */
async function fill(
  docker: Docker,
  image: string,
  volume: string,
  tar: Readable,
  whole: Promise<void>,
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
    // A stream that has failed by now would never end for the engine.
    if (tar.destroyed && !tar.readableEnded) await whole;
    await Promise.all([container.putArchive(tar, { path: FILL }), whole]);
  } finally {
    await container.remove({ force: true });
  }
}

async function isInUse(docker: Docker, volume: string): Promise<boolean> {
  const users = await docker.listContainers({ all: true, filters: { volume: [volume] } });
  return users.length > 0;
}

async function ifThere<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return null;
    throw error;
  }
}
