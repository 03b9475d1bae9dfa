import {
  createSender,
  openBudgets,
  openDocuments,
  openPauses,
  openTrunkStates,
  openWaiting,
  type QueueConnection,
} from "@agentswarm/queue";
import { DEFAULT_REPO } from "@agentswarm/contracts";
import type { Mirror } from "@agentswarm/git";
import { createLogger } from "@agentswarm/service";
import { z } from "zod";
import type { PlannerContext } from "../src/context.ts";
import { openCostHistory } from "../src/cost-history.ts";
import { openLedgerStore } from "../src/ledger/ledger-store.ts";
import { openPlanningScheduler } from "../src/planning-scheduler.ts";
import { reportSetAside } from "../src/report-set-aside.ts";
import { DEFAULTS, RULES } from "./make-ledger.ts";

type ReadOfTrunk = "fetch" | "head" | "green" | "hasAll" | "trunk";

/** The planner's own code in this process, without the model, and with only what sweeps read of a repository. */
export interface OpenContext extends AsyncDisposable {
  readonly ctx: PlannerContext;
  /** The lines that were logged, parsed. */
  readonly lines: readonly { readonly msg: string; readonly taskId?: string; readonly featureId?: string }[];
}

export function openContext(
  connection: QueueConnection,
  mirror?: Pick<Mirror, ReadOfTrunk> & Partial<Mirror>,
): OpenContext {
  const budgets = openBudgets(connection, {});
  const lines: OpenContext["lines"][number][] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]);
  const log = createLogger({ service: "test", format: "json", destination: { write } });
  const sender = createSender(connection, "planner");
  const scheduler = openPlanningScheduler(1);
  const repo = { repoId: DEFAULT_REPO, mirror: mirror as Mirror };
  const ctx: PlannerContext = {
    connection,
    sender,
    budgets,
    log,
    ledgers: openLedgerStore({
      connection,
      usedUp: (featureId) => budgets.usedUp(featureId),
      reviews: async () => null,
      rules: RULES,
      onWritten: () => undefined,
      onSetAside: reportSetAside(log, connection, sender),
    }),
    waiting: openWaiting(connection),
    trunkStates: openTrunkStates(connection),
    pauses: openPauses(connection),
    surveys: openDocuments(connection, "surveys", z.string()),
    scheduler,
    repo: () => repo,
    repos: [],
    model: { name: "none" } as PlannerContext["model"],
    maxTokens: 1,
    history: openCostHistory(connection),
    promptsDir: "",
    surveyTokens: 1,
    maxTasks: 1,
    defaults: DEFAULTS,
  };
  return {
    ctx,
    lines,
    async [Symbol.asyncDispose]() {
      budgets[Symbol.dispose]();
      await scheduler[Symbol.asyncDispose]();
    },
  };
}
