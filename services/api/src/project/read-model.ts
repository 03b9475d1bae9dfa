import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  jobId,
  slug,
  subjectOf,
  type DomainEvent,
  type FeatureDetail,
  type FeaturePage,
  type FeatureQuery,
  type FeatureStatus,
  type FeatureSummary,
  type TaskDetail,
  type TaskSummary,
} from "@agentswarm/contracts";
import {
  jobBody,
  openDocuments,
  openEventLog,
  openWaiting,
  type Budgets,
  type EventLog,
  type QueueConnection,
  type WaitingNow,
} from "@agentswarm/queue";
import { sumUp } from "./cost-table.ts";
import { selectFeatures } from "./select-features.ts";
import { addFeatureCost, projectFeature } from "./project-feature.ts";
import { projectSwarm } from "./project-swarm.ts";
import { addTaskCost, projectTask } from "./project-task.ts";
import { showBudget } from "./show-budget.ts";
import { submittedEvent } from "./submitted-event.ts";
import { taskStatus } from "./task-status.ts";
import {
  EMPTY_SWARM,
  featureViewSchema,
  swarmViewSchema,
  taskViewSchema,
  type FeatureView,
  type SwarmView,
  type TaskView,
} from "./views.ts";

/** Answers the queries of the REST API; built from events alone. Queries give null for what does not exist. */
export interface ReadModel {
  readonly events: EventLog;
  listFeatures(query: FeatureQuery): Promise<FeaturePage>;
  /** A feature without its tasks; from its submission's job until its first event has come. */
  findFeature(id: string): Promise<FeatureSummary | null>;
  feature(id: string): Promise<FeatureDetail | null>;
  task(id: string): Promise<TaskDetail | null>;
  featureCounts(): Promise<Partial<Record<FeatureStatus, number>>>;
  swarm(): Promise<SwarmView>;
  /** Takes in one event: views, log, archive. The same event a second time changes nothing. */
  absorb(event: DomainEvent): Promise<void>;
}

const SWARM = "swarm";

export function openReadModel(
  connection: QueueConnection,
  budgets: Budgets,
  artifactsDir: string,
): ReadModel {
  const events = openEventLog(connection);
  const features = openDocuments(connection, "view-features", featureViewSchema);
  const tasks = openDocuments(connection, "view-tasks", taskViewSchema);
  const swarms = openDocuments(connection, "view-swarm", swarmViewSchema);
  const waiting = openWaiting(connection);
  const archive = join(artifactsDir, "events");

  const featureView = async (id: string): Promise<FeatureView | null> => {
    const found = await features.get(id);
    if (found !== null) return found.value;
    const message = await jobBody(connection, "plan", jobId.feature(id));
    if (message?.kind !== "feature") return null;
    const { feature } = message;
    return projectFeature(null, { ...submittedEvent(feature), at: feature.createdAt, actor: "api" });
  };
  const isOver = async (event: DomainEvent): Promise<boolean> => {
    if (event.type !== "attempt.started") return false;
    const task = (await tasks.get(event.taskId))?.value;
    return task?.attempts.some((one) => one.attempt === event.attempt && one.endedAt !== null) ?? false;
  };

  return {
    events,
    async listFeatures(query) {
      const { selected, cursor } = selectFeatures([...(await features.all()).values()], query);
      const now = await waiting.read();
      return { features: selected.map((view) => summaryOf(view, now)), cursor };
    },
    async findFeature(id) {
      const view = await featureView(id);
      return view && summaryOf(view, await waiting.read());
    },
    async feature(id) {
      const view = await featureView(id);
      if (view === null) return null;
      const [budget, now, ...found] = await Promise.all([
        budgets.read(id),
        waiting.read(),
        ...view.taskIds.map((taskId) => tasks.get(taskId)),
      ]);
      return {
        ...summaryOf(view, now),
        cost: sumUp(view.costs),
        budget: showBudget(budget.feature ?? budget.swarm, view.budgetReached),
        tasks: found.flatMap((task) => (task === null ? [] : [taskSummaryOf(task.value, now)])),
      };
    },
    async task(id) {
      const found = await tasks.get(id);
      return found && taskDetailOf(found.value, await waiting.read());
    },
    async featureCounts() {
      const counts: Partial<Record<FeatureStatus, number>> = {};
      for (const { status } of (await features.all()).values()) counts[status] = (counts[status] ?? 0) + 1;
      return counts;
    },
    swarm: async () => (await swarms.get(SWARM))?.value ?? EMPTY_SWARM,
    async absorb(event) {
      // Views first: they take an event twice without harm, so a crash before the log's entry loses nothing.
      const { featureId, taskId } = subjectOf(event);
      if (featureId !== undefined) await features.update(featureId, (view) => projectFeature(view, event));
      if (taskId !== undefined) await tasks.update(taskId, (view) => projectTask(view, event));
      if ((await events.append(event)) === null) return;
      // Sums come behind the log, which lets each event in only once.
      if (featureId !== undefined) await features.update(featureId, (view) => addFeatureCost(view, event));
      if (taskId !== undefined) await tasks.update(taskId, (view) => addTaskCost(view, event));
      // A start that comes behind its end would count as a running attempt for ever.
      if (!(await isOver(event)))
        await swarms.update(SWARM, (view) => projectSwarm(view ?? EMPTY_SWARM, event));
      await mkdir(archive, { recursive: true });
      const day = new Date(event.at).toISOString().slice(0, 10);
      await appendFile(join(archive, `${day}.jsonl`), `${JSON.stringify(event)}\n`, { mode: 0o600 });
    },
  };
}

/** Costs are the sums of the model calls, as in the status and the metrics; the ledger's own lag behind them. */
function summaryOf(view: FeatureView, now: WaitingNow): FeatureSummary {
  const { usd, tokens } = sumUp(view.costs);
  return { ...view, slug: slug(view.title), costUsd: usd, tokens, waiting: now.feature(view.id) };
}

function taskSummaryOf(view: TaskView, now: WaitingNow): TaskSummary {
  const costUsd = view.attempts.reduce((sum, { costs }) => sum + sumUp(costs).usd, 0);
  return {
    ...view,
    status: taskStatus(view),
    attempts: view.attempts.length,
    costUsd,
    heldCommit: heldCommitOf(view),
    waiting: now.task(view.featureId, view.id),
  };
}

function taskDetailOf(view: TaskView, now: WaitingNow): TaskDetail {
  const attempts = view.attempts.map(({ costs, ...attempt }) => ({ ...attempt, cost: sumUp(costs) }));
  const commits = view.commit === null ? [] : [view.commit];
  const shown = { status: taskStatus(view), heldCommit: heldCommitOf(view) };
  return { ...view, ...shown, attempts, commits, waiting: now.task(view.featureId, view.id) };
}

/** The commit that waits for approval. The newest attempt's, when the planner of version 0.1 has not named it. */
function heldCommitOf({ status, heldCommit, attempts }: TaskView): string | null {
  if (status !== "held") return null;
  return heldCommit ?? attempts.at(-1)?.handoff?.headCommit ?? null;
}
