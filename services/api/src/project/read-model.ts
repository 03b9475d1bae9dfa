import {
  jobId,
  slug,
  type DecisionPage,
  type DecisionQuery,
  type FeatureDetail,
  type FeaturePage,
  type FeatureQuery,
  type FeatureStatus,
  type FeatureSummary,
  type NoteDetail,
  type OpenDecisions,
  type TaskDetail,
  type TaskSummary,
} from "@agentswarm/contracts";
import { HOT_AFTER } from "@agentswarm/contracts";
import {
  jobBody,
  openEventLog,
  openTrunkStates,
  openWaiting,
  type Budgets,
  type EventLog,
  type QueueConnection,
  type WaitingNow,
} from "@agentswarm/queue";
import { attemptsToShow, type ShownAttempt } from "./attempts-to-show.ts";
import { sumUp, type CostTable } from "./cost-table.ts";
import { countDecisions } from "./count-decisions.ts";
import { heldCommitOf } from "./held-commit.ts";
import { listDecisions, openDecisionsOf, type Asker } from "./list-decisions.ts";
import { listFeatures } from "./list-features.ts";
import { endedAttempts } from "./live-attempt.ts";
import { SWARM } from "./project-batch.ts";
import { projectFeature } from "./project-feature.ts";
import { decisionsOf, tasksOf } from "./read-indexes.ts";
import { notesOfFeature, notesOfTask } from "./project-notes.ts";
import { showBudget } from "./show-budget.ts";
import { submittedEvent } from "./submitted-event.ts";
import { taskStatus } from "./task-status.ts";
import { FEATURE_STATUSES } from "./view-keys.ts";
import type { ViewStore } from "./view-store.ts";
import {
  EMPTY_REPO,
  NO_TOTALS,
  type DecisionView,
  type FeatureView,
  type RepoView,
  type TaskView,
  type Totals,
} from "./views.ts";

/** The whole swarm by its events. */
export interface SwarmView {
  readonly repos: Readonly<Record<string, RepoView & { hotFiles: Record<string, number> }>>;
  readonly landings: { readonly total: number; readonly lastHour: number };
  /** Task id → attempt, for every attempt that has started and not ended. */
  readonly live: Readonly<Record<string, number>>;
  readonly costs: CostTable;
  readonly budgetReached: Totals["budgetReached"];
}

/** Answers the queries of the REST API; built from events alone. Queries give null for what does not exist. */
export interface ReadModel {
  readonly events: EventLog;
  listFeatures(query: FeatureQuery): Promise<FeaturePage>;
  /** A feature without its tasks; from its submission's job until its first event has come. */
  findFeature(id: string): Promise<FeatureSummary | null>;
  feature(id: string): Promise<FeatureDetail | null>;
  task(id: string): Promise<TaskDetail | null>;
  /** What was said to a feature; with `taskId` also to this task, and heard by its attempts only. Oldest first. */
  notes(of: { readonly featureId: string; readonly taskId?: string }): Promise<NoteDetail[]>;
  /** The attempts that make up a feature's changes; see `attemptsToShow`. */
  shownAttempts(featureId: string): Promise<ShownAttempt[]>;
  decision(id: string): Promise<DecisionView | null>;
  listDecisions(query: DecisionQuery, asker: Asker): Promise<DecisionPage>;
  /** The newest decision whether this commit of a task lands; null when people were not asked, or it was withdrawn. */
  landingDecision(taskId: string, head: string): Promise<DecisionView | null>;
  countDecisions(): Promise<OpenDecisions>;
  featureCounts(): Promise<Partial<Record<FeatureStatus, number>>>;
  swarm(): Promise<SwarmView>;
}

const HOUR_MS = 3_600_000;

export function openReadModel(connection: QueueConnection, budgets: Budgets, views: ViewStore): ReadModel {
  const { redis } = connection;
  const waiting = openWaiting(connection);
  const trunkStates = openTrunkStates(connection);
  const { keys } = views;

  const featureView = async (id: string): Promise<FeatureView | null> => {
    const { value } = await views.find("features", id);
    if (value !== null) return value;
    const message = await jobBody(connection, "plan", jobId.feature(id));
    if (message?.kind !== "feature") return null;
    const { feature } = message;
    return projectFeature(null, { ...submittedEvent(feature), at: feature.createdAt, actor: "api" });
  };
  const taskViews = async (featureId: string): Promise<TaskView[]> => {
    const found = await tasksOf(views, featureId);
    return views.readMany(
      "tasks",
      found.map((task) => task.id),
    );
  };
  const hotFiles = async (): Promise<[repoId: string, path: string, count: number][]> => {
    const flat = await redis.zrangebyscore(keys.hot, HOT_AFTER, "+inf", "WITHSCORES");
    return Array.from({ length: flat.length / 2 }, (_, nth) => {
      const member = flat[2 * nth] ?? "";
      const end = member.indexOf(" ");
      return [member.slice(0, end), member.slice(end + 1), Number(flat[2 * nth + 1])];
    });
  };
  const repos = async () => {
    const [ids, hot] = await Promise.all([redis.hkeys(keys.documents.repos), hotFiles()]);
    const found = await Promise.all(ids.map((id) => views.find("repos", id)));
    return Object.fromEntries(
      ids.map((id, nth) => {
        const own = hot.filter(([repoId]) => repoId === id).map(([, path, count]) => [path, count]);
        return [id, { ...(found[nth]?.value ?? EMPTY_REPO), hotFiles: Object.fromEntries(own) }];
      }),
    ) as SwarmView["repos"];
  };

  return {
    events: openEventLog(connection),
    async listFeatures(query) {
      const [{ found, cursor }, now] = await Promise.all([listFeatures(views, query), waiting.read()]);
      return { features: found.map((view) => summaryOf(view, now)), cursor };
    },
    async findFeature(id) {
      const view = await featureView(id);
      return view && summaryOf(view, await waiting.read());
    },
    async feature(id) {
      const view = await featureView(id);
      if (view === null) return null;
      const [budget, now, trunk, decisions, tasks] = await Promise.all([
        budgets.read(id),
        waiting.read(),
        trunkStates.read(view.repoId),
        openDecisionsOf(views, { featureId: id }),
        taskViews(id),
      ]);
      return {
        ...summaryOf(view, now),
        cost: sumUp(view.costs),
        actions: view.actions,
        budget: showBudget(budget.feature ?? budget.swarm, view.budgetReached),
        tasks: tasks.map((task) => taskSummaryOf(task, now)),
        decisions,
        notice: trunk?.hold ?? trunk?.unchecked ?? null,
      };
    },
    async task(id) {
      const { value } = await views.find("tasks", id);
      return value && taskDetailOf(value, await waiting.read());
    },
    async notes({ featureId, taskId }) {
      const ids = [notesOfFeature(featureId), ...(taskId === undefined ? [] : [notesOfTask(taskId)])];
      const found = (await Promise.all(ids.map((id) => views.find("notes", id)))).map(({ value }) => value);
      // Both documents have what was heard; the task's has it of its own attempts.
      const heard = found.at(-1)?.heard ?? {};
      const shown = found.flatMap((view, nth) =>
        (view?.said ?? []).map((note) => ({
          ...note,
          taskId: nth === 0 ? null : (taskId ?? null),
          heard: heard[note.id] ?? [],
        })),
      );
      return shown.toSorted((a, b) => a.at - b.at);
    },
    shownAttempts: async (featureId) => attemptsToShow(await taskViews(featureId)),
    decision: async (id) => (await views.find("decisions", id)).value,
    listDecisions: (query, asker) => listDecisions(views, query, asker),
    async landingDecision(taskId, head) {
      const all = await views.readMany("decisions", await decisionsOf(views, { taskId }));
      const isAsked = (one: DecisionView) => one.kind === "landing" && one.head === head;
      return all.findLast((one) => isAsked(one) && one.state !== "withdrawn") ?? null;
    },
    countDecisions: async () => countDecisions(views, await connection.now()),
    async featureCounts() {
      const counts = await Promise.all(FEATURE_STATUSES.map((status) => redis.zcard(keys.index(status))));
      const named = FEATURE_STATUSES.map((status, nth) => [status, counts[nth] ?? 0] as const);
      return Object.fromEntries(named.filter(([, count]) => count > 0));
    },
    async swarm() {
      const now = await connection.now();
      const [{ value }, known, live, lastHour] = await Promise.all([
        views.find("swarm", SWARM),
        repos(),
        redis.hgetall(keys.live),
        redis.zcount(keys.landed, now - HOUR_MS, "+inf"),
      ]);
      const { landings, costs, budgetReached } = value ?? NO_TOTALS;
      const attempts = Object.entries(live).map(([taskId, attempt]) => [taskId, Number(attempt)]);
      return {
        repos: known,
        landings: { total: landings, lastHour },
        live: Object.fromEntries(attempts) as Record<string, number>,
        costs,
        budgetReached,
      };
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
  const attempts = endedAttempts(view).map(({ costs, ...attempt }) => ({ ...attempt, cost: sumUp(costs) }));
  const commits = view.commit === null ? [] : [view.commit];
  const shown = { status: taskStatus(view), heldCommit: heldCommitOf(view) };
  return { ...view, ...shown, attempts, commits, waiting: now.task(view.featureId, view.id) };
}
