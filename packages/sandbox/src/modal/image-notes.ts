import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mount } from "../sandbox.ts";

/** Modal throws a snapshot away after 30 days; it is made anew before. */
const KEPT_MS = 25 * 24 * 3_600_000;

interface Note {
  readonly imageId: string;
  readonly madeAt: number;
  readonly holds: readonly string[];
}

/** Which snapshot holds which content: a small file for each under SWARM_HOME, so that processes need no lock. */
export interface ImageNotes {
  find(name: string): string | null;
  keep(name: string, imageId: string, mounts: readonly Mount[]): void;
  forget(name: string): void;
}

const told = (mounts: readonly Mount[]) => mounts.map(({ key, at }) => `${key}@${at}`).toSorted();

/** The name of what a set of mounts makes of a base image; the order of the mounts means nothing. */
export function nameOfContent(base: readonly string[], mounts: readonly Mount[]): string {
  return createHash("sha256")
    .update(JSON.stringify([base, told(mounts)]))
    .digest("hex")
    .slice(0, 24);
}

export function openImageNotes(dir: string, now: () => number = Date.now): ImageNotes {
  mkdirSync(dir, { recursive: true });
  const fileOf = (name: string) => join(dir, `${name}.json`);
  return {
    find(name) {
      try {
        const { imageId, madeAt } = JSON.parse(readFileSync(fileOf(name), "utf8")) as Note;
        return now() - madeAt < KEPT_MS ? imageId : null;
      } catch {
        return null;
      }
    },
    keep(name, imageId, mounts) {
      const note: Note = { imageId, madeAt: now(), holds: told(mounts) };
      const fresh = `${fileOf(name)}.${randomUUID()}`;
      writeFileSync(fresh, JSON.stringify(note));
      renameSync(fresh, fileOf(name));
    },
    forget: (name) => rmSync(fileOf(name), { force: true }),
  };
}
