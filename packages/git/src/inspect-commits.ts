import { Fault } from "@agentswarm/contracts";
import { openObjectReader } from "./objects/object-reader.ts";
import { runGit } from "./run-git.ts";

/** Limits of one attempt. */
const MAX_COMMITS = 500;
const MAX_FILES = 20_000;
const MAX_BLOB_BYTES = 50 * 1024 * 1024;
/** No file system accepts a longer link target. */
const MAX_LINK_BYTES = 4_096;

const SYMLINK = "120000";
const SUBMODULE = "160000";
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** Git's errors for a commit that is missing, or that is no commit. */
const NOT_THERE = /fatal: (?:Invalid revision range|bad object|bad revision)/;
const NULL_ID = "0".repeat(40);

/** One changed entry of a commit, as `git diff-tree --raw` reports it. */
interface ChangedEntry {
  readonly path: string;
  readonly mode: string;
  readonly blob: string;
}

export type Inspection =
  | { kind: "accepted"; commits: string[]; files: string[] }
  | { kind: "refused"; why: string };

/**
 * Inspects every commit between base and head. Nothing is checked out. Commits that git cannot read are refused; a Fault is
 * thrown only when a retry may help.
 */
export async function inspectCommits(dir: string, base: string, head: string): Promise<Inspection> {
  try {
    return await inspect(dir, base, head);
  } catch (error) {
    const fault = Fault.from(error);
    if (fault.retryable) throw fault;
    if (NOT_THERE.test(fault.message)) return refuse("the bundle lacks the commit it was sent for");
    return refuse(`git cannot read the commits: ${fault.message}`);
  }
}

async function inspect(dir: string, base: string, head: string): Promise<Inspection> {
  const { stdout } = await runGit(
    [
      "rev-list",
      "--reverse",
      "--parents",
      `--max-count=${MAX_COMMITS + 1}`,
      "--end-of-options",
      `${base}..${head}`,
    ],
    { cwd: dir },
  );
  const family = stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.split(" ")]));
  const commits = family.map(([commit = ""]) => commit);
  if (commits.length === 0) return refuse("the attempt has no commit on its base");
  if (commits.length > MAX_COMMITS) return refuse(`more than ${MAX_COMMITS} commits`);
  if (!family.some(([, ...parents]) => parents.includes(base)))
    return refuse("the attempt does not descend from its base");
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
    const why = refusePath(entry);
    if (why !== null) return refuse(why);
  }
  const why = (await findLarge(dir, entries)) ?? (await findEscape(dir, entries));
  if (why !== null) return refuse(why);
  return { kind: "accepted", commits, files: [...new Set(entries.map((entry) => entry.path))].toSorted() };
}

function refuse(why: string): Inspection {
  return { kind: "refused", why };
}

/** Parses `git diff-tree --raw -z`; the leading commit id of each record is skipped. */
function parseRaw(text: string): ChangedEntry[] {
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

/** Formats a path for messages. Control and direction characters are escaped, because a terminal would act on them. */
function show(path: string): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(path.slice(0, 200)).replaceAll(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, escaped);
}

/** Why an entry is refused for its path, which git, a file system or a terminal could misread. Null: it is accepted. */
function refusePath({ path, mode }: ChangedEntry): string | null {
  const shown = show(path);
  if (mode === SUBMODULE) return `${shown} is a submodule`;
  if (CONTROL.test(path)) return `${shown} has control characters in its name`;
  const parts = path.split("/");
  if (path.startsWith("/") || parts.includes("..") || parts.includes("."))
    return `${shown} leads out of the repository`;
  if (parts.some(isNamedLikeGit)) return `${shown} has the name of git's own folder`;
  return null;
}

/** Some file systems read `.git. ` or `.g\u200cit` as `.git`. */
function isNamedLikeGit(name: string): boolean {
  const plain = name.replace(/[. ]+$/, "").replaceAll(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "");
  return /^(\.git|git~1)$/i.test(plain);
}

async function findEscape(dir: string, entries: readonly ChangedEntry[]): Promise<string | null> {
  using reader = openObjectReader(dir);
  for (const { path, mode, blob } of entries) {
    if (mode !== SYMLINK || blob === NULL_ID) continue;
    const target = (await reader.read(blob))?.body.toString("utf8");
    if (target === undefined || escapes(path, target)) {
      return `${show(path)} links out of the repository`;
    }
  }
  return null;
}

/**
 * Whether a link at `path` with this target may point outside the work tree, or at git's own folder. A `..` after a name
 * counts as outside: the name may be a link itself, and `..` then leads up from the target of that link.
 */
function escapes(path: string, target: string): boolean {
  if (target.startsWith("/")) return true;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const down = parts.findIndex((part) => part !== "..");
  const up = down === -1 ? parts.length : down;
  return (
    up > path.split("/").length - 1 || parts.slice(up).some((part) => part === ".." || isNamedLikeGit(part))
  );
}

async function findLarge(dir: string, entries: readonly ChangedEntry[]): Promise<string | null> {
  const blobs = entries.filter((entry) => entry.blob !== NULL_ID);
  const input = blobs.map((entry) => `${entry.blob}\n`).join("");
  const { stdout } = await runGit(["cat-file", "--batch-check=%(objectsize)"], { cwd: dir, input });
  const sizes = stdout.split("\n").map(Number);
  for (const [at, { path, mode }] of blobs.entries()) {
    const most = mode === SYMLINK ? MAX_LINK_BYTES : MAX_BLOB_BYTES;
    if ((sizes[at] ?? 0) > most) return `${show(path)} is larger than ${most} bytes`;
  }
  return null;
}
