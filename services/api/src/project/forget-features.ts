import { isTrunkHealth, type FeatureStatus, type TaskStatus } from "@agentswarm/contracts";
import type { DocumentChange, IndexChange } from "./project-batch.ts";
import { placeOf } from "./project-decision.ts";
import { notesOfFeature, notesOfTask } from "./project-notes.ts";
import { decisionsOf, oldestFeatures, tasksOf } from "./read-indexes.ts";
import type { ViewStore } from "./view-store.ts";
import type { DecisionView, FeatureView, TaskView } from "./views.ts";

const ENDED: readonly FeatureStatus[] = ["done", "failed", "cancelled"];
const ENDED_TASKS: ReadonlySet<TaskStatus> = new Set(["landed", "failed", "cancelled"]);
/** Features that one call looks at, for each status; the next call goes on. */
const AT_ONCE = 1_000;

/**
 * Removes the views of features that ended before `before` (milliseconds since 1970) with their tasks and decisions, and
 * the tasks and decisions that ended before it of the standing features. Resolves with the number of removed views.
 */
export async function forgetFeatures(views: ViewStore, before: number, signal: AbortSignal): Promise<number> {
  let removed = 0;
  for (const status of ENDED) {
    for (const id of await oldestFeatures(views, status, before, AT_ONCE)) {
      signal.throwIfAborted();
      const { value, version } = await views.find("features", id);
      if (value === null || value.status !== status || (value.finishedAt ?? value.createdAt) >= before)
        continue;
      removed += await forgetFeature(views, value, version);
    }
  }
  for (const id of (await oldestFeatures(views, "all", before, AT_ONCE)).filter(isTrunkHealth)) {
    const old = (task: TaskView) => ENDED_TASKS.has(task.status) && (task.changedAt ?? 0) < before;
    removed += await forget(views, await changesOfTasks(views, id, old));
    const ended = ({ endedAt }: DecisionView) => endedAt !== null && endedAt < before;
    removed += await forget(views, await changesOfDecisions(views, id, ended));
  }
  return removed;
}

async function forgetFeature(views: ViewStore, feature: FeatureView, version: number): Promise<number> {
  const { id, createdAt, status } = feature;
  const tasks = await changesOfTasks(views, id, () => true);
  const decisions = await changesOfDecisions(views, id, () => true);
  const notes = await changesOfNotes(views, [notesOfFeature(id)]);
  return forget(views, {
    documents: [
      { kind: "features", id, version, value: null },
      ...tasks.documents,
      ...decisions.documents,
      ...notes,
    ],
    indexes: [
      { kind: "feature", id, createdAt, from: status, to: null },
      ...tasks.indexes,
      ...decisions.indexes,
    ],
  });
}

interface Changes {
  readonly documents: DocumentChange[];
  readonly indexes: IndexChange[];
}

async function changesOfTasks(
  views: ViewStore,
  featureId: string,
  isOld: (task: TaskView) => boolean,
): Promise<Changes> {
  const documents: DocumentChange[] = [];
  const indexes: IndexChange[] = [];
  for (const { id, at } of await tasksOf(views, featureId)) {
    const { value, version } = await views.find("tasks", id);
    if (value !== null && !isOld(value)) continue;
    if (value !== null) documents.push({ kind: "tasks", id, version, value: null });
    documents.push(...(await changesOfNotes(views, [notesOfTask(id)])));
    indexes.push(
      { kind: "task", id, featureId, at, removed: true },
      { kind: "live", taskId: id, attempt: null },
    );
  }
  return { documents, indexes };
}

async function changesOfNotes(views: ViewStore, ids: readonly string[]): Promise<DocumentChange[]> {
  const found = await Promise.all(ids.map((id) => views.find("notes", id)));
  return ids.flatMap((id, nth): DocumentChange[] => {
    const { value, version } = found[nth] ?? { value: null, version: 0 };
    return value === null ? [] : [{ kind: "notes", id, version, value: null }];
  });
}

async function changesOfDecisions(
  views: ViewStore,
  featureId: string,
  isOld: (decision: DecisionView) => boolean,
): Promise<Changes> {
  const documents: DocumentChange[] = [];
  const indexes: IndexChange[] = [];
  for (const id of await decisionsOf(views, { featureId })) {
    const { value, version } = await views.find("decisions", id);
    if (value === null || !isOld(value)) continue;
    documents.push({ kind: "decisions", id, version, value: null });
    indexes.push({ kind: "decision", from: placeOf(value), to: null });
  }
  return { documents, indexes };
}

/** Zero when an event has changed one of them meanwhile: the next call tries again. */
async function forget(views: ViewStore, changes: Changes): Promise<number> {
  if (changes.documents.length === 0) return 0;
  return (await views.commit(changes, [])) === "done" ? changes.documents.length : 0;
}
