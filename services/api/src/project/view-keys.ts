import {
  decisionKindSchema,
  decisionStateSchema,
  featureStatusSchema,
  type DecisionKind,
  type DecisionState,
  type FeatureStatus,
} from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";

/** The kinds of documents that the views consist of; each kind is one hash in Redis. */
export type DocumentKind = "features" | "tasks" | "decisions" | "notes" | "repos" | "swarm" | "early";

/** Every key of one set of views. */
export interface ViewKeys {
  readonly documents: Readonly<Record<DocumentKind, string>>;
  /** Ids of features in the order of their submission: all of them, or those of one status. */
  index(status: FeatureStatus | "all"): string;
  /** `<featureId> <time> <taskId>` for every planned task. */
  readonly featureTasks: string;
  /** Decisions of one state: open ones by the time when they are due, others by the time of their end. */
  decisions(state: DecisionState): string;
  /** Open decisions of one kind; the score is the time when they were asked. */
  openDecisions(kind: DecisionKind): string;
  /** `<featureId> <time> <decisionId>` for every decision about a feature or one of its tasks. */
  readonly featureDecisions: string;
  /** The same by the id of the task. */
  readonly taskDecisions: string;
  /** Task id → attempt, for every attempt that has started and not ended. */
  readonly live: string;
  /** Landings of the last hour by their time. */
  readonly landed: string;
  /** `<repoId> <path>` by the number of conflicts. */
  readonly hot: string;
  /** The newer and the older half of the event ids that are remembered in one bucket. */
  seen(bucket: number): readonly [newer: string, older: string];
  /** Exists once the views are complete. Without it Redis is new, or was wiped. */
  readonly filled: string;
}

export const FEATURE_STATUSES: readonly FeatureStatus[] = featureStatusSchema.options;
export const DECISION_KINDS: readonly DecisionKind[] = decisionKindSchema.options;
const DECISION_STATES: readonly DecisionState[] = decisionStateSchema.options;

/** Event ids are remembered in this many sets, so that Redis stores each set as a sorted array of integers. */
export const SEEN_BUCKETS = 512;

/** The views that people see, and those that a rebuild fills before it puts them in place of the others. */
export type ViewSet = "view" | "view-new";

export function viewKeys(connection: QueueConnection, set: ViewSet): ViewKeys {
  const key = (...parts: string[]) => connection.key(set, ...parts);
  return {
    documents: {
      features: key("features"),
      tasks: key("tasks"),
      decisions: key("decisions"),
      notes: key("notes"),
      repos: key("repos"),
      swarm: key("swarm"),
      early: key("early"),
    },
    index: (status) => key("index", status),
    featureTasks: key("feature-tasks"),
    decisions: (state) => key("decisions-by-state", state),
    openDecisions: (kind) => key("open-decisions", kind),
    featureDecisions: key("feature-decisions"),
    taskDecisions: key("task-decisions"),
    live: key("live"),
    landed: key("landed"),
    hot: key("hot"),
    seen: (bucket) => [key("seen", String(bucket), "newer"), key("seen", String(bucket), "older")],
    filled: key("filled"),
  };
}

/** Every key of a set of views, in one order for all sets. */
export function allViewKeys(keys: ViewKeys): string[] {
  return [
    ...Object.values(keys.documents),
    ...[...FEATURE_STATUSES, "all" as const].map((status) => keys.index(status)),
    keys.featureTasks,
    ...DECISION_STATES.map((state) => keys.decisions(state)),
    ...DECISION_KINDS.map((kind) => keys.openDecisions(kind)),
    keys.featureDecisions,
    keys.taskDecisions,
    keys.live,
    keys.landed,
    keys.hot,
    ...Array.from({ length: SEEN_BUCKETS }, (_, bucket) => keys.seen(bucket)).flat(),
    keys.filled,
  ];
}
