import { featureStatusSchema, type FeatureStatus } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";

/** The kinds of documents that the views consist of; each kind is one hash in Redis. */
export type DocumentKind = "features" | "tasks" | "repos" | "swarm" | "early";

/** Every key of one set of views. */
export interface ViewKeys {
  readonly documents: Readonly<Record<DocumentKind, string>>;
  /** Ids of features in the order of their submission: all of them, or those of one status. */
  index(status: FeatureStatus | "all"): string;
  /** `<featureId> <time> <taskId>` for every planned task. */
  readonly featureTasks: string;
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
      repos: key("repos"),
      swarm: key("swarm"),
      early: key("early"),
    },
    index: (status) => key("index", status),
    featureTasks: key("feature-tasks"),
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
    keys.live,
    keys.landed,
    keys.hot,
    ...Array.from({ length: SEEN_BUCKETS }, (_, bucket) => keys.seen(bucket)).flat(),
    keys.filled,
  ];
}
