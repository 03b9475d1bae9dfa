import { z } from "zod";
import { budgetSchema, idSchema, type Budget } from "@agentswarm/contracts";
import { withDeadline, type BudgetState } from "@agentswarm/queue";
import { REDIS_DEADLINE_MS, type App, type House } from "../house.ts";
import { Problem } from "../problem.ts";

const params = z.object({ id: idSchema });
const body = budgetSchema.refine(({ usd, tokens }) => usd !== undefined || tokens !== undefined, {
  error: "name usd, tokens or both",
});

/** Raises, or lowers, what one feature may cost. */
export function budgetRoutes(app: App, house: House): void {
  const { model, sender } = house;
  app.post(
    "/v1/features/:id/budget",
    { schema: { tags: ["features"], summary: "Change what a feature may cost", params, body } },
    async (request, reply) => {
      const { id } = request.params;
      refuseBeyondSwarm(house, request.body);
      const found = await withDeadline(model.features.get(id), REDIS_DEADLINE_MS);
      if (found === null) throw new Problem(404, "not-found", `there is no feature ${id}`);
      const by = request.actor ?? "local";
      const message = { kind: "budget" as const, featureId: id, budget: request.body, by };
      await withDeadline(sender.send("plan", message), REDIS_DEADLINE_MS);
      return reply.code(202).send({ id, url: `/v1/features/${id}` });
    },
  );
}

/** A feature can be given no more than the swarm has. */
export function refuseBeyondSwarm({ caps }: House, budget: Budget | undefined): void {
  for (const [unit, name, cap] of [
    ["usd", "BUDGET_USD", caps.BUDGET_USD],
    ["tokens", "BUDGET_TOKENS", caps.BUDGET_TOKENS],
  ] as const) {
    const wanted = budget?.[unit];
    if (wanted === undefined || cap === undefined || wanted <= cap) continue;
    throw new Problem(
      422,
      "budget-too-high",
      `budget.${unit}: ${wanted} is more than the swarm's ${name}=${cap}`,
    );
  }
}

/** A budget as it is shown. */
export function shownBudget(state: BudgetState, reached: { at: number; level: string; why: string } | null) {
  const amount = ({ costUsd, tokens }: BudgetState["spent"]) => ({ usd: costUsd, tokens });
  return {
    usd: state.cap.usd ?? null,
    tokens: state.cap.tokens ?? null,
    spent: amount(state.spent),
    reserved: amount(state.reserved),
    usedUp: state.usedUp?.why ?? null,
    reached,
  };
}
