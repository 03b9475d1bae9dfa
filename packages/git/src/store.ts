import { ATTEMPT_REFS, attemptRef } from "@agentswarm/contracts";
import { initBare } from "./init-bare.ts";
import { runGit } from "./run-git.ts";

/** An attempt that has a ref in the store. */
export interface StoredAttempt {
  readonly taskId: string;
  readonly attempt: number;
  readonly commit: string;
  /** The time of its newest commit, in seconds since 1970. */
  readonly at: number;
}

/** The bare repository that hands attempts' commits from the dispatcher to the merger. */
export interface Store {
  readonly dir: string;
  /** The numbers of a task's attempts that have commits. */
  attempts(taskId: string): Promise<number[]>;
  listAll(): Promise<StoredAttempt[]>;
  /** Removes the refs of attempts; one that has no ref is passed over. Their objects stay until `pruneObjects`. */
  remove(attempts: readonly Pick<StoredAttempt, "taskId" | "attempt">[]): Promise<void>;
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
      return (await list(`${ATTEMPT_REFS}${taskId}/`)).map((one) => one.attempt);
    },
    listAll: () => list(ATTEMPT_REFS),
    async remove(attempts) {
      const refs = new Set(attempts.map(({ taskId, attempt }) => attemptRef(taskId, attempt)));
      const input = [...refs].map((ref) => `delete ${ref}\n`).join("");
      await runGit(["update-ref", "--stdin"], { cwd: dir, input });
    },
  };
}

/**
 * Fetches attempts' commits from the store into another repository, without refs there. Returns the refs that the store
 * lacks.
 */
export async function fetchAttempts(store: Store, into: string, refs: readonly string[]): Promise<string[]> {
  if (refs.length === 0) return [];
  const fetch = (wanted: readonly string[], answers: number[] = []) =>
    runGit(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", store.dir, ...wanted], {
      cwd: into,
      answers,
    });
  // Usually the store has all of them, so they are listed only after a fetch that missed one.
  if ((await fetch(refs, [128])).exitCode === 0) return [];
  const { stdout } = await runGit(["for-each-ref", "--format=%(refname)", "--", ...refs], { cwd: store.dir });
  const stored = new Set(stdout.split("\n"));
  const found = refs.filter((ref) => stored.has(ref));
  if (found.length > 0) await fetch(found);
  return refs.filter((ref) => !stored.has(ref));
}
