import { DEFAULT_REPO, parseJobId, type QueueName, type SwarmStatus } from "@agentswarm/contracts";
import {
  activeJobIds,
  openShownModel,
  openBackendOutages,
  openPauses,
  openTrunkStates,
  openWaiting,
  queueCounts,
  workerCounts,
} from "@agentswarm/queue";
import type { ApiContext } from "./context.ts";
import { sumUp } from "./project/cost-table.ts";
import type { SwarmView } from "./project/read-model.ts";
import { showBudget } from "./project/show-budget.ts";
import { EMPTY_REPO } from "./project/views.ts";

/** The service that consumes each queue. */
const SERVICE_OF = {
  plan: "planner",
  task: "dispatcher",
  merge: "merger",
  sweep: "reconciler",
  event: "api",
} as const satisfies Record<QueueName, string>;

/** The whole swarm at a glance, from the read model and the queues. */
export async function readSwarmStatus({
  connection,
  model,
  intake,
  budgets,
}: ApiContext): Promise<SwarmStatus> {
  const [
    queues,
    swarm,
    features,
    decisions,
    { swarm: budget },
    workers,
    shown,
    wait,
    trunks,
    backends,
    jobs,
    paused,
  ] = await Promise.all([
    queueCounts(connection),
    model.swarm(),
    model.featureCounts(),
    model.countDecisions(),
    budgets.read(),
    workerCounts(connection),
    openShownModel(connection).read(),
    openWaiting(connection).read(),
    openTrunkStates(connection).all(),
    openBackendOutages(connection).all(),
    activeJobIds(connection, "task"),
    openPauses(connection).all(),
  ]);
  const eventsWait = intake.waiting();
  const attempts = attemptsAtWork(swarm.live, jobs);
  return {
    features,
    queues,
    services: byService(workers),
    agents: { live: Object.keys(attempts).length, attempts },
    waiting: [...wait.reasons(), ...(eventsWait === null ? [] : [eventsWait])],
    decisions,
    backends,
    notices: [...trunks].flatMap(([repoId, state]) => {
      const notice = state.hold ?? state.unchecked;
      return notice === null ? [] : [{ repoId, notice }];
    }),
    paused,
    model: shown,
    landings: swarm.landings,
    ...(swarm.repos[DEFAULT_REPO] ?? { ...EMPTY_REPO, hotFiles: {} }),
    repos: swarm.repos,
    cost: { ...sumUp(swarm.costs), budget: showBudget(budget, swarm.budgetReached) },
  };
}

/**
 * Task id → attempt, for the attempts that run. Both must say so: the events, and the queue, because an attempt whose
 * dispatcher was killed sends no event, and a job may be active before its attempt starts.
 */
function attemptsAtWork(live: SwarmView["live"], activeJobs: readonly string[]): Record<string, number> {
  const parsed = activeJobs.map((id) => parseJobId(id));
  const active = new Set(parsed.flatMap((job) => (job?.kind === "task" ? job.taskId : [])));
  return Object.fromEntries(Object.entries(live).filter(([taskId]) => active.has(taskId)));
}

function byService(workers: Record<QueueName, number>): Record<string, number> {
  const queues = Object.keys(SERVICE_OF) as QueueName[];
  return Object.fromEntries(queues.map((queue) => [SERVICE_OF[queue], workers[queue]]));
}
