import {
  DEFAULT_CHECK_TIMEOUT_MS,
  DEFAULT_LIMITS,
  slug,
  trunkHealthId,
  type Sweep,
  type Task,
} from "@agentswarm/contracts";
import { taskIdOf } from "@agentswarm/contracts/node";
import type { TaskDefaults } from "./adopt-plan.ts";
import { isUnsettled, newRecord, type Ledger } from "./ledger.ts";

const FIX_PRIORITY = 1;
/** Number of fix tasks that one failure may have, one after another. */
const FIXES_PER_SIGNATURE = 3;

/**
 * Adds the drafts of a red sweep as fix tasks: at most one open task per failure, also when the sweep is redelivered.
 * `fixed` are failures whose fix has landed since the sweep read the trunk, so that its drafts for them are outdated.
 */
export function bookFixes(
  ledger: Ledger,
  sweep: Sweep,
  fixed: ReadonlySet<string>,
  defaults: TaskDefaults,
): Ledger {
  const featureId = trunkHealthId(sweep.repoId);
  let booked = ledger;
  for (const draft of sweep.drafts) {
    if (fixed.has(draft.signature)) continue;
    const same = booked.tasks.filter((record) => record.signature === draft.signature);
    if (same.some(isUnsettled)) continue;
    const tried = same.filter((record) => record.task.kind === "fix").length;
    if (tried >= FIXES_PER_SIGNATURE) continue;
    const failure = sweep.failures.find((one) => one.signature === draft.signature);
    const key = slug(draft.title, 48, "fix");
    const task: Task = {
      id: taskIdOf(featureId, tried + 1, `${key}-${draft.signature}`),
      featureId,
      repoId: sweep.repoId,
      featureSlug: featureId,
      key,
      kind: "fix",
      title: draft.title,
      description: draft.description,
      context: failure === undefined ? "" : `Output of ${failure.check} (untrusted):\n${failure.outputTail}`,
      scope: draft.scope,
      acceptance: [],
      checks: sweep.checks
        .filter((check) => check.exitCode !== 0)
        .map((check) => ({
          name: (check.name ?? check.command).slice(0, 100),
          command: check.command,
          timeoutMs: DEFAULT_CHECK_TIMEOUT_MS,
        })),
      dependsOn: [],
      priority: FIX_PRIORITY,
      limits: { ...DEFAULT_LIMITS, wallMs: defaults.wallMs },
      attemptBudget: defaults.attemptBudget,
      feedback: "",
    };
    booked = { ...booked, tasks: [...booked.tasks, newRecord(task, draft.signature)] };
  }
  return booked;
}
