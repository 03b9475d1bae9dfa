import type { ApiContext } from "../../services/api/src/context.ts";
import { renderMetrics } from "../../services/api/src/swarm-metrics.ts";
import { readSwarmStatus } from "../../services/api/src/swarm-status.ts";
import { makeEvents } from "../../services/api/testing/make-events.ts";
import { openBudgets } from "@agentswarm/queue";
import { cpuMsOf, type Measure } from "./measure.ts";
import { takeAll, withIntake } from "./take-events.ts";

/** Processor time of the api for a page of features, its status or its metrics, whichever needs most. */
export const measureLists: Measure = async ({ quick, say }) => {
  const figures: Record<string, number> = {};
  for (const size of quick ? [10, 20] : [100, 10_000]) {
    figures[size] = await withIntake(async (intake, connection) => {
      for (let nth = 0; nth < size; nth += 1) await takeAll(intake, makeEvents(`feature-${nth}`, 0));
      const { model } = intake;
      using budgets = openBudgets(connection, {});
      const ctx = { connection, model, budgets, intake: { waiting: () => null } } as unknown as ApiContext;
      const status = () => readSwarmStatus(ctx);
      const asked = {
        page: () => model.listFeatures({ limit: 50 }),
        ofOneStatus: () => model.listFeatures({ limit: 50, status: "building" }),
        search: () => model.listFeatures({ limit: 50, q: "words that no feature has" }),
        status,
        metrics: async () => renderMetrics(await status(), (await model.swarm()).costs, new Map()),
      };
      const times: Record<string, number> = {};
      for (const [name, ask] of Object.entries(asked))
        times[name] = await cpuMsOf({ batches: 5, perBatch: quick ? 2 : 20 }, ask);
      say(`  ${size} features: ${JSON.stringify(times)}`);
      return Math.max(...Object.values(times));
    });
  }
  return figures;
};
