import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mount } from "../sandbox.ts";

/** Modal deletes a snapshot after 30 days; it is replaced before that. */
const KEPT_MS = 25 * 24 * 3_600_000;

interface Entry {
  readonly imageId: string;
  readonly madeAt: number;
  readonly holds: readonly string[];
}

/** Finds the snapshot that holds some content: one small file for each under SWARM_HOME, so that processes need no lock. */
export interface SnapshotIndex {
  find(name: string): string | null;
  put(name: string, imageId: string, mounts: readonly Mount[]): void;
  remove(name: string): void;
}

const describeMounts = (mounts: readonly Mount[]) => mounts.map(({ key, at }) => `${key}@${at}`).toSorted();

/** Names the content of a base image with a set of mounts; the order of the mounts does not matter. */
export function nameOfContent(base: readonly string[], mounts: readonly Mount[]): string {
  return createHash("sha256")
    .update(JSON.stringify([base, describeMounts(mounts)]))
    .digest("hex")
    .slice(0, 24);
}

export function openSnapshotIndex(dir: string, now: () => number = Date.now): SnapshotIndex {
  mkdirSync(dir, { recursive: true });
  const fileOf = (name: string) => join(dir, `${name}.json`);
  return {
    find(name) {
      try {
        const { imageId, madeAt } = JSON.parse(readFileSync(fileOf(name), "utf8")) as Entry;
        return now() - madeAt < KEPT_MS ? imageId : null;
      } catch {
        return null;
      }
    },
    put(name, imageId, mounts) {
      const entry: Entry = { imageId, madeAt: now(), holds: describeMounts(mounts) };
      const fresh = `${fileOf(name)}.${randomUUID()}`;
      writeFileSync(fresh, JSON.stringify(entry));
      renameSync(fresh, fileOf(name));
    },
    remove: (name) => rmSync(fileOf(name), { force: true }),
  };
}
