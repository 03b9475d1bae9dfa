import { attemptRef } from "@agentswarm/contracts";
import { initBare } from "./init-bare.ts";
import { runGit } from "./run-git.ts";

/** One attempt's ref. */
export interface StoredAttempt {
  readonly taskId: string;
  readonly attempt: number;
  readonly commit: string;
  /** Seconds since 1970, when its newest commit was made. */
  readonly at: number;
}

/** The bare repository in which attempts lie between dispatcher and merger. */
export interface Store {
  readonly dir: string;
  /** The numbers of a task's attempts that have commits. */
  attempts(taskId: string): Promise<number[]>;
  listAll(): Promise<StoredAttempt[]>;
  remove(taskId: string, attempt: number): Promise<void>;
}

export async function openStore({ dir }: { dir: string }): Promise<Store> {
  await initBare(dir);
  const list = async (prefix: string): Promise<StoredAttempt[]> => {
    const format = "--format=%(refname) %(objectname) %(committerdate:unix)";
    const { stdout } = await runGit(["for-each-ref", format, prefix], { cwd: dir });
    return stdout.split("\n").flatMap((line) => {
      const [ref = "", commit = "", at = "0"] = line.split(" ");
      const [, taskId, attempt] = /^refs\/swarm\/([^/]+)\/(\d+)$/.exec(ref) ?? [];
      return taskId && attempt ? [{ taskId, attempt: Number(attempt), commit, at: Number(at) }] : [];
    });
  };
  return {
    dir,
    async attempts(taskId) {
      return (await list(`refs/swarm/${taskId}/`)).map((one) => one.attempt);
    },
    listAll: () => list("refs/swarm/"),
    async remove(taskId, attempt) {
      await runGit(["update-ref", "-d", attemptRef(taskId, attempt)], { cwd: dir });
    },
  };
}

/**
 * Brings attempts' commits from the store into another repository, without refs there. Gives back the refs that
 * the store does not have.
 */
export async function fetchAttempts(store: Store, into: string, refs: readonly string[]): Promise<string[]> {
  if (refs.length === 0) return [];
  const fetch = (wanted: readonly string[], answers: number[] = []) =>
    runGit(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", store.dir, ...wanted], {
      cwd: into,
      answers,
    });
  // Mostly all are there, so they are looked for only when git says that one is not.
  if ((await fetch(refs, [128])).exitCode === 0) return [];
  const { stdout } = await runGit(["for-each-ref", "--format=%(refname)", "--", ...refs], { cwd: store.dir });
  const there = new Set(stdout.split("\n"));
  const found = refs.filter((ref) => there.has(ref));
  if (found.length > 0) await fetch(found);
  return refs.filter((ref) => !there.has(ref));
}
