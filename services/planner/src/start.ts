import { fileURLToPath } from "node:url";
import {
  configuresModel,
  createModel,
  describeUnpriced,
  needsSample,
  openRecorder,
  openRouter,
} from "@agentswarm/llm";
import {
  consume,
  openBudgets,
  openDocuments,
  openPauses,
  openShownModel,
  openTrunkStates,
  openWaiting,
} from "@agentswarm/queue";
import { removeOld, type ServiceContext } from "@agentswarm/service";
import { awaitOrigin, openRepos, openService } from "@agentswarm/wiring";
import { z } from "zod";
import { decisionRules, type Settings } from "./config.ts";
import type { PlannerContext } from "./context.ts";
import { askAboutOlderHolds } from "./audit-decisions.ts";
import { openCostHistory } from "./cost-history.ts";
import { inFeatureTrace } from "./feature-trace.ts";
import { handlePlan } from "./handle-plan.ts";
import { openLedgerStore } from "./ledger/ledger-store.ts";
import { logTransitions } from "./ledger/transitions-between.ts";
import { plannerRemovals, tellTasksInUse } from "./removals.ts";
import { openReviewRoom } from "./read-review-room.ts";
import { reportSetAside } from "./report-set-aside.ts";
import { openPlanningScheduler } from "./planning-scheduler.ts";
import { afterFailedTurn, takeTurn } from "./take-turn.ts";
import { alarmIfLost, watchLedger } from "./watch-ledger.ts";

const PROMPTS = fileURLToPath(new URL("../../../prompts", import.meta.url));
const CONCURRENCY = 20;

/** Wires the planner: every message for it comes through the `plan` queue. */
export async function start(context: ServiceContext<Settings>): Promise<void> {
  const { settings, env, log, stack } = context;
  const { connection, sender } = await openService(context, "planner");
  const { repo, all: repos } = await openRepos(settings, "planner", async (location) => ({
    repoId: location.repoId,
    mirror: stack.use(
      await awaitOrigin(context, connection, location, { sampleOnly: needsSample(settings) }),
    ),
  }));
  const scheduler = stack.use(openPlanningScheduler(settings.PLANS_AT_ONCE));
  const budgets = stack.use(openBudgets(connection, settings));
  const ledgers = openLedgerStore({
    connection,
    usedUp: (featureId) => budgets.usedUp(featureId),
    reviews: openReviewRoom({
      connection,
      landing: settings.LANDING,
      most: settings.OPEN_REVIEWS,
      repos,
    }),
    rules: decisionRules(settings),
    onWritten: (before, after) => inFeatureTrace(after, () => logTransitions(log, before, after)),
    onSetAside: reportSetAside(log, connection, sender),
  });
  const router = openRouter(settings, env);
  const ctx: PlannerContext = {
    connection,
    sender,
    budgets,
    log,
    ledgers,
    waiting: openWaiting(connection),
    trunkStates: openTrunkStates(connection),
    pauses: openPauses(connection),
    surveys: openDocuments(connection, "surveys", z.string()),
    scheduler,
    repo,
    repos,
    model: createModel(router, {
      maxTokens: settings.LLM_MAX_TOKENS,
      temperature: settings.LLM_TEMPERATURE,
      recorder: settings.RECORD === undefined ? undefined : openRecorder(settings.RECORD),
    }),
    maxTokens: settings.LLM_MAX_TOKENS,
    history: openCostHistory(connection),
    promptsDir: PROMPTS,
    surveyTokens: settings.SURVEY_TOKENS,
    maxTasks: settings.MAX_TASKS_PER_PLAN,
    defaults: { attemptBudget: settings.ATTEMPT_BUDGET, wallMs: settings.WORKER_TIMEOUT * 1_000 },
  };
  scheduler.onTurn({
    run: (featureId, signal) => takeTurn(ctx, featureId, signal),
    onFailure: (featureId, fault, failures) => afterFailedTurn(ctx, featureId, fault, failures),
  });
  const everyMs = settings.AUDIT_INTERVAL * 1_000;
  const schedule = () => sender.schedule("plan", "audit", everyMs, { kind: "audit" });
  await openShownModel(connection).tell({
    name: router.model,
    recorded: !configuresModel(settings),
    unpriced: describeUnpriced(router.backends),
  });
  await alarmIfLost(ctx);
  await schedule();
  stack.use(watchLedger(ctx, everyMs, schedule));
  stack.use(
    await consume(connection, "plan", (message, { jobId }) => handlePlan(ctx, message, jobId), {
      concurrency: CONCURRENCY,
      onError: (error) => log.error({ err: error }, "a message of the plan queue could not be handled"),
    }),
  );
  await tellTasksInUse(ctx);
  stack.use(removeOld(plannerRemovals(ctx, settings.LEDGER_DAYS), log));
  await askAboutOlderHolds(ctx);
  // What the last planner left is taken up at once, beside the messages that wait.
  await sender.send("plan", { kind: "audit" });
  log.info({ model: ctx.model.name }, "planning");
}
