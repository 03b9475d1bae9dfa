import { NO_METRICS, NO_NOTES, type Handoff, type PlanMessage } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import type { PlannerContext } from "../../services/planner/src/context.ts";
import type { LedgerStep } from "../../services/planner/src/ledger/apply-step.ts";
import { newLedger } from "../../services/planner/src/ledger/ledger.ts";
import type { Written } from "../../services/planner/src/ledger/ledger-store.ts";
import type { TaskRecord } from "../../services/planner/src/ledger/task-record.ts";
import { openContext } from "../../services/planner/testing/open-context.ts";
import { FEATURE } from "./task-records.ts";

const RECORDS_PER_STEP = 500;

/** The planner's own code without a model and a repository, which neither a handoff nor an audit needs. */
export interface BenchPlanner extends AsyncDisposable {
  readonly ctx: PlannerContext;
  /** Writes the feature with these tasks. Their effects are not carried out. */
  fill(records: readonly TaskRecord[]): Promise<void>;
}

export function openBenchPlanner(connection: QueueConnection): BenchPlanner {
  const { ctx, [Symbol.asyncDispose]: dispose } = openContext(connection);
  const { ledgers } = ctx;
  const write = async (step: LedgerStep) => {
    let written: Written | null = await ledgers.update(FEATURE.id, step);
    while (written !== null) {
      if (written.entry !== null) await ledgers.done(written.ledger, written.entry.name);
      written = written.more ? await ledgers.followUp(FEATURE.id) : null;
    }
  };
  return {
    ctx,
    async fill(records) {
      await write(() => ({ ...newLedger(FEATURE, "bench"), status: "building" }));
      for (let from = 0; from < records.length; from += RECORDS_PER_STEP) {
        const some = records.slice(from, from + RECORDS_PER_STEP);
        await write((now) => now && { ...now, tasks: [...now.tasks, ...some] });
      }
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** The handoff of a task's first round, which landed. */
export function landed(taskId: string): Extract<PlanMessage, { kind: "handoff" }> {
  const commit = "c".repeat(40);
  const handoff: Handoff = {
    taskId,
    attempt: 1,
    round: 1,
    outcome: "complete",
    end: "submitted",
    summary: "Added the function with its tests and its documentation.",
    ...NO_NOTES,
    metrics: { ...NO_METRICS, tokensIn: 10_000, tokensOut: 1_000, costUsd: 0.1 },
    headCommit: commit,
    model: "glm-5",
  };
  const outcome = { kind: "landed" as const, commit, tree: "d".repeat(40), group: 1 };
  return { kind: "handoff", featureId: FEATURE.id, handoff, outcome };
}
