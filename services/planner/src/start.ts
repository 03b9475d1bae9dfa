import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openOrigin } from "@agentswarm/git";
import { createModel, openRecorder, openRouter } from "@agentswarm/llm";
import { consume, createSender, openBudgets, openDocuments, openQueue } from "@agentswarm/queue";
import type { ServiceContext } from "@agentswarm/service";
import { z } from "zod";
import { onTrouble, takeTurn } from "./advance.ts";
import { audit } from "./audit.ts";
import type { Settings } from "./config.ts";
import { openCostHistory } from "./cost-history.ts";
import { openForeman } from "./foreman.ts";
import { handlePlan } from "./handle-plan.ts";
import { ledgerSchema } from "./ledger/ledger.ts";
import { openLedgerStore } from "./ledger/ledger-store.ts";
import { alarmIfLost, watchLedger } from "./watch-ledger.ts";
import type { PlannerContext } from "./context.ts";

const PROMPTS = fileURLToPath(new URL("../../../prompts", import.meta.url));
const CONCURRENCY = 20;

/** Wires the planner: everything that feeds back comes through one queue. */
export async function start({ settings, env, log, stack }: ServiceContext<Settings>): Promise<void> {
  const home = settings.SWARM_HOME;
  const connection = stack.use(
    await openQueue({
      redisUrl: settings.REDIS_URL,
      prefix: settings.QUEUE_PREFIX,
      service: "planner",
      onError: (error) => log.warn({ err: error }, "trouble with Redis"),
    }),
  );
  const sender = createSender(connection, "planner");
  const mirror = stack.use(
    await openOrigin({
      url: settings.GIT_REPO_URL,
      trunk: settings.TRUNK,
      mirrorDir: join(home, "mirrors", "planner"),
    }),
  );
  const foreman = openForeman({
    atOnce: settings.PLANS_AT_ONCE,
    work: (featureId, signal) => takeTurn(ctx, featureId, signal),
    onTrouble: (featureId, fault, troubles) => onTrouble(ctx, featureId, fault, troubles),
  });
  stack.use(foreman);
  const ctx: PlannerContext = {
    connection,
    sender,
    budgets: stack.use(openBudgets(connection, settings)),
    log,
    ledgers: openLedgerStore(openDocuments(connection, "ledger", ledgerSchema)),
    surveys: openDocuments(connection, "surveys", z.string()),
    foreman,
    mirror,
    model: createModel(openRouter(settings, env), {
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
  const everyMs = settings.AUDIT_INTERVAL * 1_000;
  const schedule = () => sender.schedule("plan", "audit", everyMs, { kind: "audit" });
  await alarmIfLost(ctx);
  await audit(ctx);
  await schedule();
  stack.use(watchLedger(ctx, everyMs, schedule));
  stack.use(
    await consume(connection, "plan", (message, { jobId }) => handlePlan(ctx, message, jobId), {
      concurrency: CONCURRENCY,
      onError: (error) => log.error({ err: error }, "a message could not be absorbed"),
    }),
  );
  log.info({ model: ctx.model.name }, "planning");
}
