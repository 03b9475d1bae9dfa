import { asFault, findInstalledFolder } from "@agentswarm/contracts";
import { CONTENT_LIMITS, GIT_LIMITS } from "./content-limits.ts";
import { isRefusedContent } from "./is-refused-content.ts";
import { listChanges, NULL_ID, openLimitedReader, type ChangedEntry } from "./list-changes.ts";
import { parseCommit } from "./objects/commit-object.ts";
import type { ObjectReader } from "./objects/object-reader.ts";
import { runGit } from "./run-git.ts";
import { show } from "./show-path.ts";

const SYMLINK = "120000";
const SUBMODULE = "160000";
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** Git's errors for a commit that is missing, or that is no commit. */
const NOT_THERE = /fatal: (?:Invalid revision range|bad object|bad revision)/;

export type Inspection =
  | { kind: "accepted"; commits: string[]; files: string[] }
  | { kind: "refused"; why: string };

/**
 * Inspects every commit between base and head. Nothing is checked out. Commits that git cannot read are refused; a Fault is
 * thrown when something else failed.
 */
export async function inspectCommits(dir: string, base: string, head: string): Promise<Inspection> {
  try {
    return await inspect(dir, base, head);
  } catch (error) {
    const fault = asFault(error);
    if (!isRefusedContent(fault)) throw fault;
    if (fault.code === "git.refused") return refuse(fault.message);
    if (NOT_THERE.test(fault.message)) return refuse("the bundle lacks the commit it was sent for");
    return refuse(`git cannot read the commits: ${fault.message}`);
  }
}

async function inspect(dir: string, base: string, head: string): Promise<Inspection> {
  const maxCommits = CONTENT_LIMITS.commits;
  using reader = openLimitedReader(dir);
  const family = (await walkFamily(reader, base, head)) ?? (await listFamily(dir, base, head));
  const commits = family.map(([commit = ""]) => commit);
  if (commits.length === 0) return refuse("the attempt has no commit on its base");
  if (commits.length > maxCommits) return refuse(`more than ${maxCommits} commits`);
  if (!family.some(([, ...parents]) => parents.includes(base)))
    return refuse("the attempt does not descend from its base");
  if (family.flat().length - commits.length > CONTENT_LIMITS.parents)
    return refuse(`its commits have more than ${CONTENT_LIMITS.parents} parents`);
  const lineages = family.map(([commit = "", ...parents]) => ({ commit, parents }));
  const entries = await listChanges(reader, lineages);
  for (const entry of entries) {
    const why = refusePath(entry);
    if (why !== null) return refuse(why);
  }
  const why = (await findLarge(reader, entries)) ?? (await findEscape(reader, entries));
  if (why !== null) return refuse(why);
  return { kind: "accepted", commits, files: [...new Set(entries.map((entry) => entry.path))].toSorted() };
}

/** A commit's id and then those of its parents. */
type Family = readonly string[];

/**
 * The commits after `base` up to `head`, oldest first, when each has one parent: an agent's attempt is like that, and
 * reading it starts no further process. Null: git must be asked.
 */
async function walkFamily(reader: ObjectReader, base: string, head: string): Promise<Family[] | null> {
  const family: Family[] = [];
  for (let at = head; at !== base;) {
    const found = await reader.read(at);
    const [parent, ...others] = found?.type === "commit" ? parseCommit(found.body).parents : [];
    if (parent === undefined || others.length > 0 || family.length > CONTENT_LIMITS.commits) return null;
    family.push([at, parent]);
    at = parent;
  }
  return family.toReversed();
}

async function listFamily(dir: string, base: string, head: string): Promise<Family[]> {
  const { stdout } = await runGit(
    [
      "rev-list",
      "--reverse",
      "--parents",
      `--max-count=${CONTENT_LIMITS.commits + 1}`,
      "--end-of-options",
      `${base}..${head}`,
    ],
    { cwd: dir, limits: GIT_LIMITS },
  );
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.split(" ")]));
}

function refuse(why: string): Inspection {
  return { kind: "refused", why };
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
  const installed = findInstalledFolder(path);
  if (installed !== null)
    return `${shown} lies in ${installed}, which only a package manager or a runner writes`;
  return null;
}

/** Some file systems read `.git. ` or `.g\u200cit` as `.git`. */
function isNamedLikeGit(name: string): boolean {
  const plain = name.replace(/[. ]+$/, "").replaceAll(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "");
  return /^(\.git|git~1)$/i.test(plain);
}

async function findEscape(reader: ObjectReader, entries: readonly ChangedEntry[]): Promise<string | null> {
  for (const { path, mode, blob } of entries) {
    if (mode !== SYMLINK) continue;
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

/** Why a file, or all files together, are refused for their size; null: they are accepted. */
async function findLarge(reader: ObjectReader, entries: readonly ChangedEntry[]): Promise<string | null> {
  const { fileBytes, linkBytes, writtenBytes } = CONTENT_LIMITS;
  const written = entries.filter((entry) => entry.blob !== NULL_ID);
  const ids = [...new Set(written.map((entry) => entry.blob))];
  const sizes = new Map(await Promise.all(ids.map(async (id) => [id, await reader.size(id)] as const)));
  let total = 0;
  for (const { path, mode, blob } of written) {
    const size = sizes.get(blob) ?? null;
    const most = mode === SYMLINK ? linkBytes : fileBytes;
    if (size === null) return `the content of ${show(path)} is missing`;
    if (size > most) return `${show(path)} is larger than ${most} bytes`;
    total += size;
  }
  return total > writtenBytes
    ? `its files are ${total} bytes when they are checked out, more than ${writtenBytes}`
    : null;
}
