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
import { isUnsettled, newRecord, type TaskRecord } from "./task-record.ts";
import { tasksOfSignature } from "./find-tasks.ts";
import type { Ledger } from "./ledger.ts";

const FIX_PRIORITY = 1;
/** Number of fix tasks that one failure may have, one after another, before one of them repairs it. */
const FIXES_PER_SIGNATURE = 3;

/** What the trunk says about earlier fixes. */
export interface FixFacts {
  /** Signatures whose fix has landed since the sweep read the trunk, so that the sweep's drafts for them are outdated. */
  readonly fixed: ReadonlySet<string>;
  /** Ids of landed fixes that a green trunk had: they repaired their failure, so it is a new one when it comes back. */
  readonly worked: ReadonlySet<string>;
}

/** Adds the drafts of a red sweep as fix tasks: at most one open task per failure, also when the sweep is redelivered. */
export function bookFixes(
  ledger: Ledger,
  sweep: Sweep,
  { fixed, worked }: FixFacts,
  defaults: TaskDefaults,
): Ledger {
  const featureId = trunkHealthId(sweep.repoId);
  let booked = ledger;
  for (const draft of sweep.drafts) {
    if (fixed.has(draft.signature)) continue;
    const same = tasksOfSignature(booked, draft.signature);
    if (same.some(isUnsettled)) continue;
    const before = same.filter(isFix).length;
    const sinceRepair = same.slice(same.findLastIndex(({ task }) => worked.has(task.id)) + 1);
    if (sinceRepair.filter(isFix).length >= FIXES_PER_SIGNATURE) continue;
    const failure = sweep.failures.find((one) => one.signature === draft.signature);
    const key = slug(draft.title, 48, "fix");
    const task: Task = {
      id: taskIdOf(featureId, before + 1, `${key}-${draft.signature}`),
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

function isFix({ task }: TaskRecord): boolean {
  return task.kind === "fix";
}
