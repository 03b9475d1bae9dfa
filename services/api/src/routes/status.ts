import { Counter, Gauge, Registry } from "prom-client";
import { HOT_AFTER } from "@agentswarm/contracts";
import { ping, queueCounts, withDeadline, workerCounts } from "@agentswarm/queue";
import { REDIS_DEADLINE_MS, type App, type House } from "../house.ts";
import { shownBudget } from "./budget.ts";
import { entriesOf, sumUp } from "../project/cost-table.ts";
import { landingsLastHour } from "../project/project-swarm.ts";

const SERVICES_OF = {
  plan: "planner",
  task: "dispatcher",
  merge: "merger",
  sweep: "reconciler",
  event: "api",
} as const;

/** How the swarm is: for people, for probes and for Prometheus. */
export function statusRoutes(app: App, house: House): void {
  const { connection, model } = house;
  const soon = <T>(promise: Promise<T>) => withDeadline(promise, REDIS_DEADLINE_MS);

  const read = async () => {
    const [queues, swarm, features, now, budgets] = await soon(
      Promise.all([
        queueCounts(connection),
        model.swarm(),
        model.features.all(),
        connection.now(),
        house.budgets.read(),
      ]),
    );
    const byStatus: Record<string, number> = {};
    for (const { status } of features.values()) byStatus[status] = (byStatus[status] ?? 0) + 1;
    const workers = await soon(workerCounts(connection));
    const services: Record<string, number> = {};
    for (const [queue, service] of Object.entries(SERVICES_OF)) {
      services[service] = workers[queue as keyof typeof SERVICES_OF];
    }
    const hot = Object.entries(swarm.hotFiles).filter(([, count]) => count >= HOT_AFTER);
    return {
      features: byStatus,
      queues,
      services,
      agents: { live: Object.keys(swarm.live).length, attempts: swarm.live },
      landings: { total: swarm.landings, lastHour: landingsLastHour(swarm, now) },
      trunk: swarm.trunk,
      green: swarm.green,
      lastSweep: swarm.lastSweep,
      hotFiles: Object.fromEntries(hot),
      cost: {
        ...sumUp(swarm.costs),
        usd: swarm.costUsd,
        tokens: swarm.tokens,
        budget: shownBudget(budgets.swarm, swarm.budgetReached),
      },
    };
  };

  app.get("/v1/status", { schema: { tags: ["swarm"], summary: "The whole swarm at a glance" } }, read);
  app.get("/healthz", { schema: { tags: ["probes"], summary: "Whether the process answers" } }, () => ({
    ok: true,
  }));
  app.get("/readyz", { schema: { tags: ["probes"], summary: "Whether Redis answers in time" } }, async () => {
    await ping(connection, REDIS_DEADLINE_MS);
    return { ok: true };
  });

  app.get(
    "/metrics",
    { schema: { tags: ["probes"], summary: "Prometheus metrics" } },
    async (_request, reply) => {
      const status = await read();
      const { costs } = await soon(model.swarm());
      const registry = new Registry();
      const gauge = (name: string, help: string, labelNames: string[] = []) =>
        new Gauge({ name: `agentswarm_${name}`, help, labelNames, registers: [registry] });
      const jobs = gauge("queue_jobs", "Jobs by queue and state", ["queue", "state"]);
      for (const [queue, counts] of Object.entries(status.queues)) {
        for (const [state, count] of Object.entries(counts)) jobs.set({ queue, state }, count);
      }
      const features = gauge("features", "Features by status", ["status"]);
      for (const [name, count] of Object.entries(status.features)) features.set({ status: name }, count);
      gauge("agents_live", "Attempts at work").set(status.agents.live);
      gauge("landings", "Attempts landed").set(status.landings.total);
      gauge("landings_last_hour", "Attempts landed within the last hour").set(status.landings.lastHour);
      const counter = (name: string, help: string) =>
        new Counter({
          name: `agentswarm_${name}`,
          help,
          labelNames: ["role", "backend"],
          registers: [registry],
        });
      const usd = counter("cost_usd_total", "Spent on models, US dollars, by who asked which backend");
      const tokens = counter("tokens_total", "Model tokens used, by who asked which backend");
      for (const [role, backend, amount] of entriesOf(costs)) {
        usd.inc({ role, backend }, amount.usd);
        tokens.inc({ role, backend }, amount.tokens);
      }
      gauge("trunk_is_green", "1 when green is the trunk's head").set(
        status.trunk !== null && status.trunk === status.green ? 1 : 0,
      );
      return reply.type(registry.contentType).send(await registry.metrics());
    },
  );
}
