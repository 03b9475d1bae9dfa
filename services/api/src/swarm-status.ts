import { DEFAULT_REPO, HOT_AFTER, type QueueName, type SwarmStatus } from "@agentswarm/contracts";
import { openShownModel, openWaiting, queueCounts, workerCounts } from "@agentswarm/queue";
import type { ApiContext } from "./context.ts";
import { sumUp } from "./project/cost-table.ts";
import { landingsLastHour } from "./project/project-swarm.ts";
import { showBudget } from "./project/show-budget.ts";
import { EMPTY_REPO, type RepoView } from "./project/views.ts";

/** The service that consumes each queue. */
const SERVICE_OF = {
  plan: "planner",
  task: "dispatcher",
  merge: "merger",
  sweep: "reconciler",
  event: "api",
} as const satisfies Record<QueueName, string>;

/** The whole swarm at a glance, from the read model and the queues. */
export async function readSwarmStatus({ connection, model, budgets }: ApiContext): Promise<SwarmStatus> {
  const [queues, swarm, features, now, { swarm: budget }, workers, shown, wait] = await Promise.all([
    queueCounts(connection),
    model.swarm(),
    model.featureCounts(),
    connection.now(),
    budgets.read(),
    workerCounts(connection),
    openShownModel(connection).read(),
    openWaiting(connection).read(),
  ]);
  const repos = Object.fromEntries(
    Object.entries(swarm.repos).map(([repoId, repo]) => [repoId, { ...repo, hotFiles: hotOnly(repo) }]),
  );
  return {
    features,
    queues,
    services: byService(workers),
    agents: { live: Object.keys(swarm.live).length, attempts: swarm.live },
    waiting: wait.reasons(),
    model: shown,
    landings: { total: swarm.landings, lastHour: landingsLastHour(swarm, now) },
    ...(repos[DEFAULT_REPO] ?? EMPTY_REPO),
    repos,
    cost: { ...sumUp(swarm.costs), budget: showBudget(budget, swarm.budgetReached) },
  };
}

function hotOnly({ hotFiles }: RepoView): Record<string, number> {
  return Object.fromEntries(Object.entries(hotFiles).filter(([, count]) => count >= HOT_AFTER));
}

function byService(workers: Record<QueueName, number>): Record<string, number> {
  const queues = Object.keys(SERVICE_OF) as QueueName[];
  return Object.fromEntries(queues.map((queue) => [SERVICE_OF[queue], workers[queue]]));
}
