import { NO_METRICS, NO_NOTES, type Handoff, type MergeOutcome, type Task } from "@agentswarm/contracts";
import { makeRevert } from "@agentswarm/git";
import type { DispatcherContext } from "./context.ts";
import type { EndedAttempt } from "./ended-attempt.ts";
import { measureCommits } from "./take-commits.ts";

/**
 * Makes the commit of a revert task from the trunk's newest commit. No agent runs, no sandbox is opened and no model is
 * asked. The merger takes it like an attempt that a person approved: who ordered the revert wants this very change, also
 * where it deletes tests or touches protected paths. The gate decides as ever. Landings that cannot be taken back together go back to the planner.
 */
export async function makeRevertAttempt(
  ctx: Pick<DispatcherContext, "repo">,
  task: Task,
  { attempt, round }: { readonly attempt: number; readonly round: number },
): Promise<EndedAttempt> {
  const { mirror, store } = ctx.repo(task.repoId);
  const landings = task.revert?.commits ?? [];
  const order = { repoDir: mirror.dir, store, taskId: task.id, attempt, landings };
  const tip = await mirror.head();
  const made = await makeRevert({ ...order, tip, message: messageOf(task, landings) });
  const handoff: Handoff = {
    taskId: task.id,
    attempt,
    round,
    outcome: "complete",
    end: "submitted",
    summary: `${task.title}\n\n${task.description}`.trim(),
    ...NO_NOTES,
    metrics: NO_METRICS,
    headCommit: null,
    model: "none",
  };
  if (made.kind !== "made") {
    const outcome: MergeOutcome =
      made.kind === "nothing"
        ? { kind: "already-landed", commit: tip, empty: true }
        : { kind: "conflict", paths: made.paths, base: tip, theirIntent: "" };
    return { kind: "unopened", handoff, outcome };
  }
  const { base, head } = made;
  const metrics = { ...NO_METRICS, ...(await measureCommits(store.dir, base, head)) };
  return {
    kind: "ran",
    handoff: { ...handoff, headCommit: head, metrics },
    stored: true,
    unsafe: null,
    baseCommit: base,
    byDefault: [],
    ...(task.revert === undefined ? {} : { orderedBy: task.revert.by }),
  };
}

/** Number of landings that a message names. */
const NAMED = 50;

function messageOf({ title, description }: Task, landings: readonly string[]): string {
  const named = landings.slice(0, NAMED).map((commit) => `- ${commit}`);
  const more = landings.length > NAMED ? [`- and ${landings.length - NAMED} more`] : [];
  return [title, "", description.trim(), "", ...named, ...more].join("\n");
}
