import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { Fault } from "@agentswarm/contracts";
import { keysSchema, type ApiKey, type KeyChange } from "./keys.ts";
import { withLockFile } from "./with-lock-file.ts";

export interface KeyRing {
  list(): Promise<ApiKey[]>;
  /** Writes the keys as `decide` has them, and gives back what it made. Of several changes at once none is lost. */
  change<T>(decide: (keys: readonly ApiKey[], now: number) => KeyChange<T>): Promise<T>;
}

/**
 * API keys in a file, with hashed secrets. A missing file is an empty ring. Replicas of the api and the command `keys` may
 * share the file.
 */
export function openKeyRing(file: string): KeyRing {
  const list = async (): Promise<ApiKey[]> => {
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "[]";
      throw error;
    });
    return keysSchema.parse(JSON.parse(text));
  };
  return {
    list,
    change: (decide) =>
      withLockFile(`${file}.lock`, async (stillOwned) => {
        const { keys, made } = decide(await list(), Date.now());
        const fresh = `${file}.${randomUUID()}`;
        try {
          await writeFile(fresh, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600, flush: true });
          if (!(await stillOwned()))
            throw new Fault("conflict", `${file} was changed by another process meanwhile: try again`);
          await rename(fresh, file);
        } finally {
          await rm(fresh, { force: true });
        }
        return made;
      }),
  };
}
