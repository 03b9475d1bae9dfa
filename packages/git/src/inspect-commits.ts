import { runGit } from "./run-git.ts";

/** Bounds of what one attempt may bring. */
const MAX_COMMITS = 500;
const MAX_FILES = 20_000;
const MAX_BLOB_BYTES = 50 * 1024 * 1024;

const SYMLINK = "120000";
const SUBMODULE = "160000";
const NULL_ID = "0".repeat(40);

/** One changed entry of a commit, as `git diff-tree --raw` tells it. */
export interface ChangedEntry {
  readonly path: string;
  readonly mode: string;
  readonly blob: string;
}

export type Inspection =
  | { kind: "accepted"; commits: string[]; files: string[] }
  | { kind: "refused"; why: string };

/** Looks at every commit between base and head, without checking anything out. */
export async function inspectCommits(dir: string, base: string, head: string): Promise<Inspection> {
  const { stdout } = await runGit(
    ["rev-list", "--reverse", `--max-count=${MAX_COMMITS + 1}`, "--end-of-options", `${base}..${head}`],
    { cwd: dir },
  );
  const commits = stdout.split("\n").filter((line) => line !== "");
  if (commits.length === 0) return refuse("the attempt has no commit on its base");
  if (commits.length > MAX_COMMITS) return refuse(`more than ${MAX_COMMITS} commits`);
  const touched = new Map<string, ChangedEntry>();
  for (const commit of commits) {
    const raw = await runGit(["diff-tree", "-r", "-z", "--raw", "--no-renames", "-m", "--root", commit], {
      cwd: dir,
    });
    for (const entry of parseRaw(raw.stdout)) touched.set(`${entry.path}\0${entry.blob}`, entry);
    if (touched.size > MAX_FILES) return refuse(`more than ${MAX_FILES} changed files`);
  }
  const entries = [...touched.values()];
  for (const entry of entries) {
    const why = refusePath(entry) ?? (await refuseLink(dir, entry));
    if (why !== null) return refuse(why);
  }
  const large = await findLarge(dir, entries);
  if (large !== null) return refuse(large);
  return { kind: "accepted", commits, files: [...new Set(entries.map((entry) => entry.path))].toSorted() };
}

function refuse(why: string): Inspection {
  return { kind: "refused", why };
}

/** Parses `git diff-tree --raw -z`; the leading commit id of each record is passed over. */
export function parseRaw(text: string): ChangedEntry[] {
  const fields = text.split("\0");
  const entries: ChangedEntry[] = [];
  for (let at = 0; at < fields.length; at += 1) {
    const [, mode, , blob] =
      /^:\d{6} (\d{6}) ([0-9a-f]{40}) ([0-9a-f]{40}) [A-Z]/.exec(fields[at] ?? "") ?? [];
    if (mode === undefined || blob === undefined) continue;
    at += 1;
    entries.push({ path: fields[at] ?? "", mode, blob });
  }
  return entries;
}

/** Names that git, a file system or a terminal could take for something else. */
export function refusePath({ path, mode }: ChangedEntry): string | null {
  const shown = JSON.stringify(path.slice(0, 200));
  if (mode === SUBMODULE) return `${shown} is a submodule`;
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(path)) return `${shown} has control characters in its name`;
  const parts = path.split("/");
  if (path.startsWith("/") || parts.includes("..") || parts.includes("."))
    return `${shown} leaves the repository`;
  if (
    parts.some((part) =>
      /^(\.git|git~1)$/i.test(
        part.replace(/[. ]+$/, "").replaceAll(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, ""),
      ),
    )
  ) {
    return `${shown} poses as git's own folder`;
  }
  return null;
}

async function refuseLink(dir: string, entry: ChangedEntry): Promise<string | null> {
  if (entry.mode !== SYMLINK || entry.blob === NULL_ID) return null;
  const { stdout: target } = await runGit(["cat-file", "blob", entry.blob], { cwd: dir, maxBytes: 10_000 });
  return escapes(entry.path, target) ? `${JSON.stringify(entry.path)} links out of the repository` : null;
}

/** Whether a link at `path` with this target points outside the repository. */
export function escapes(path: string, target: string): boolean {
  if (target.startsWith("/")) return true;
  let depth = path.split("/").length - 1;
  for (const part of target.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

async function findLarge(dir: string, entries: readonly ChangedEntry[]): Promise<string | null> {
  const blobs = entries.filter((entry) => entry.blob !== NULL_ID);
  const input = blobs.map((entry) => `${entry.blob}\n`).join("");
  const { stdout } = await runGit(["cat-file", "--batch-check=%(objectsize)"], { cwd: dir, input });
  const sizes = stdout.split("\n").map(Number);
  const at = sizes.findIndex((size) => size > MAX_BLOB_BYTES);
  const entry = blobs[at];
  return entry === undefined ? null : `${JSON.stringify(entry.path)} is larger than ${MAX_BLOB_BYTES} bytes`;
}
