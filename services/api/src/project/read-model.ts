import { appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { subjectOf, type DomainEvent } from "@agentswarm/contracts";
import {
  openDocuments,
  openEventLog,
  type Documents,
  type EventLog,
  type QueueConnection,
} from "@agentswarm/queue";
import { addFeatureCost, projectFeature } from "./project-feature.ts";
import { projectSwarm } from "./project-swarm.ts";
import { addTaskCost, projectTask } from "./project-task.ts";
import {
  EMPTY_SWARM,
  featureViewSchema,
  swarmViewSchema,
  taskViewSchema,
  type FeatureView,
  type SwarmView,
  type TaskView,
} from "./views.ts";

/** What people are shown, built from events alone. */
export interface ReadModel {
  readonly events: EventLog;
  readonly features: Documents<FeatureView>;
  readonly tasks: Documents<TaskView>;
  swarm(): Promise<SwarmView>;
  /** Takes in one event: log, archive, views. Doing it twice changes nothing the second time. */
  absorb(event: DomainEvent): Promise<void>;
}

const SWARM = "swarm";

export function openReadModel(connection: QueueConnection, artifactsDir: string): ReadModel {
  const events = openEventLog(connection);
  const features = openDocuments(connection, "view-features", featureViewSchema);
  const tasks = openDocuments(connection, "view-tasks", taskViewSchema);
  const swarms = openDocuments(connection, "view-swarm", swarmViewSchema);
  const archive = join(artifactsDir, "events");

  return {
    events,
    features,
    tasks,
    swarm: async () => (await swarms.get(SWARM))?.value ?? EMPTY_SWARM,
    async absorb(event) {
      // Views first: they take an event twice without harm, so a crash before the log's line costs nothing.
      const { featureId, taskId } = subjectOf(event);
      if (featureId !== undefined) await features.update(featureId, (view) => projectFeature(view, event));
      if (taskId !== undefined) await tasks.update(taskId, (view) => projectTask(view, event));
      if ((await events.append(event)) === null) return;
      // Sums are made behind the log, which lets each event in only once.
      if (featureId !== undefined) await features.update(featureId, (view) => addFeatureCost(view, event));
      if (taskId !== undefined) await tasks.update(taskId, (view) => addTaskCost(view, event));
      await swarms.update(SWARM, (view) => projectSwarm(view ?? EMPTY_SWARM, event));
      await mkdir(archive, { recursive: true });
      const day = new Date(event.at).toISOString().slice(0, 10);
      await appendFile(join(archive, `${day}.jsonl`), `${JSON.stringify(event)}\n`);
    },
  };
}
