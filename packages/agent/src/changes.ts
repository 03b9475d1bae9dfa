import { readFile } from "node:fs/promises";
import { join } from "node:path";
import picomatch from "picomatch";
import { runGit } from "@agentswarm/git";

/** What the work tree has over its base. */
export interface Changes {
  readonly files: string[];
  readonly linesAdded: number;
  readonly linesRemoved: number;
  readonly filesCreated: number;
  readonly filesModified: number;
}

/** Stages everything and counts it against the base. */
export async function stageChanges(repo: string, base: string): Promise<Changes> {
  await runGit(["add", "--all"], { cwd: repo });
  const numstat = await runGit(["diff", "--cached", "--numstat", "-z", "--no-renames", base, "--"], {
    cwd: repo,
  });
  const status = await runGit(["diff", "--cached", "--name-status", "-z", "--no-renames", base, "--"], {
    cwd: repo,
  });
  let linesAdded = 0;
  let linesRemoved = 0;
  const files: string[] = [];
  for (const line of numstat.stdout.split("\0")) {
    const [added, removed, path] = line.split("\t");
    if (path === undefined) continue;
    files.push(path);
    // Binary files count as "-".
    linesAdded += Number(added) || 0;
    linesRemoved += Number(removed) || 0;
  }
  const states = status.stdout.split("\0").filter((_, at) => at % 2 === 0);
  return {
    files,
    linesAdded,
    linesRemoved,
    filesCreated: states.filter((state) => state === "A").length,
    filesModified: states.filter((state) => state === "M").length,
  };
}

/** Paths that none of the scope's globs covers; an empty scope covers all. */
export function outsideScope(files: readonly string[], scope: readonly string[]): string[] {
  if (scope.length === 0) return [];
  const matches = scope.map((glob) => picomatch(glob.endsWith("/") ? `${glob}**` : glob, { dot: true }));
  return files.filter((file) => !matches.some((match) => match(file)));
}

/** Files in which a conflict's markers are left. */
export async function markersLeft(repo: string, files: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const file of files) {
    const text = await readFile(join(repo, file), "utf8").catch(() => "");
    if (/^<{7} |^>{7} /m.test(text)) left.push(file);
  }
  return left;
}
