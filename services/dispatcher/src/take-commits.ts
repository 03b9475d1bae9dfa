import { asFault, type Handoff, type Metrics } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { countChanges, COUNTED, diffSafely, fetchQuarantined, outsideScope, runGit } from "@agentswarm/git";
import type { DispatcherRepo } from "./context.ts";

export interface TakenCommits {
  /** The handoff, with what was measured instead of what the sandbox claimed. */
  readonly handoff: Handoff;
  /** Whether the commits lie in the store, to land from there. */
  readonly stored: boolean;
  /** Why quarantine or the task's scope refused the commits, or null. */
  readonly unsafe: string | null;
}

/** Whether the attempt waits for an answer of a person. Its commits are kept for the next round, and do not land. */
export function waitsForPeople({ end, outcome }: Pick<Handoff, "end" | "outcome">): boolean {
  return end === "parked" || (end === "submitted" && outcome === "blocked");
}

/** Takes an attempt's commits into the store through quarantine, and measures them there. */
export async function takeCommits(
  { store, mirror }: Pick<DispatcherRepo, "store" | "mirror">,
  handoff: Handoff,
  {
    scope,
    ...from
  }: { readonly bundlePath: string; readonly baseCommit: string; readonly scope: readonly string[] },
): Promise<TakenCommits> {
  const { headCommit, taskId, attempt } = handoff;
  if (headCommit === null) return { handoff, stored: false, unsafe: null };
  const taken = await fetchQuarantined({ ...from, headCommit, repoDir: mirror.dir, store, taskId, attempt });
  const refuse = (reason: string, unsafe: string): TakenCommits => {
    const refused: Handoff = { ...handoff, outcome: "failed", end: "failed", reason, headCommit: null };
    return { handoff: refused, stored: false, unsafe };
  };
  const waits = waitsForPeople(handoff);
  // The question stands, whatever the work is like.
  if (taken.kind === "refused" && waits)
    return { handoff: { ...handoff, headCommit: null }, stored: false, unsafe: null };
  if (taken.kind === "refused") return refuse(`quarantine refused the commits: ${taken.why}`, taken.why);
  // The runner checks it too, so that an honest agent can correct itself; but the runner is inside the sandbox.
  // Unfinished work is not checked: the work that it becomes is.
  const outside = waits ? null : whyOutsideScope(taken.files, scope);
  if (outside !== null) return refuse(outside, outside);
  failpoint("dispatcher.stored");
  const figures = await measureCommits(store.dir, from.baseCommit, headCommit);
  const measured = { ...handoff, filesChanged: taken.files, metrics: { ...handoff.metrics, ...figures } };
  return { handoff: measured, stored: true, unsafe: null };
}

/** Paths that a reason names. */
const MAX_NAMED = 20;

function whyOutsideScope(files: readonly string[], scope: readonly string[]): string | null {
  const outside = outsideScope(files, scope);
  if (outside.length === 0) return null;
  const more = outside.length > MAX_NAMED ? ` and ${outside.length - MAX_NAMED} more` : "";
  return `the attempt changes paths outside its scope: ${outside.slice(0, MAX_NAMED).join(", ")}${more} (scope: ${scope.join(", ")})`;
}

type ChangeFigures = Pick<Metrics, "linesAdded" | "linesRemoved" | "filesCreated" | "filesModified">;

/**
 * Counts the changes of an attempt from its commits in the store; the sandbox's own count is only a claim. Lines are not
 * counted where comparing the texts takes git over its limits.
 */
export async function measureCommits(dir: string, base: string, head: string): Promise<ChangeFigures> {
  const diff = (...how: readonly string[]) =>
    runGit(["diff-tree", "-r", ...how, base, head, "--"], diffSafely(dir));
  const { stdout } = await diff(...COUNTED).catch((error: unknown) => {
    if (asFault(error).code !== "git.refused") throw error;
    return diff(...COUNTED.filter((option) => option !== "--numstat"));
  });
  const { files: _, ...figures } = countChanges(stdout);
  return figures;
}
