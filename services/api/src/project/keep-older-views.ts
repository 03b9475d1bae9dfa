import { liveAttempt } from "./live-attempt.ts";
import { placeOf } from "./project-decision.ts";
import { SWARM, type DocumentChange, type IndexChange } from "./project-batch.ts";
import { notesOfFeature, notesOfTask } from "./project-notes.ts";
import { decisionsOf, pageOfFeatures, tasksOf } from "./read-indexes.ts";
import type { ViewStore } from "./view-store.ts";

const PAGE = 200;

/**
 * Copies the present views of features that the archive does not have from their beginning, with their tasks and
 * decisions. Resolves with their number. The totals are kept then too, as the archive's would lack what came before it.
 */
export async function keepOlderViews(
  present: ViewStore,
  fresh: ViewStore,
  renew: () => Promise<void>,
): Promise<number> {
  let kept = 0;
  let cursor: string | undefined;
  for (;;) {
    await renew();
    const page = await pageOfFeatures(present, "all", cursor, PAGE);
    const missing = await fresh.missing("features", page.ids);
    for (const id of missing) {
      kept += (await keepFeature(present, fresh, id)) ? 1 : 0;
    }
    if (page.cursor === null) break;
    cursor = page.cursor;
  }
  if (kept > 0) await keepTotals(present, fresh);
  return kept;
}

/** The present views of a feature take the place of what the end of its events has made. */
async function keepFeature(present: ViewStore, fresh: ViewStore, id: string): Promise<boolean> {
  const { value: feature } = await present.find("features", id);
  if (feature === null) return false;
  const documents: DocumentChange[] = [{ kind: "features", id, version: 0, value: feature }];
  const indexes: IndexChange[] = [
    { kind: "feature", id, createdAt: feature.createdAt, from: null, to: feature.status },
  ];
  const tasks = await tasksOf(present, id);
  for (const { id: taskId, at } of tasks) {
    const { value } = await present.find("tasks", taskId);
    const { version } = await fresh.find("tasks", taskId);
    if (value === null) continue;
    documents.push({ kind: "tasks", id: taskId, version, value });
    indexes.push({ kind: "task", id: taskId, featureId: id, at });
    indexes.push({ kind: "live", taskId, attempt: liveAttempt(value) });
  }
  for (const decisionId of await decisionsOf(present, { featureId: id })) {
    const { value } = await present.find("decisions", decisionId);
    const { value: made, version } = await fresh.find("decisions", decisionId);
    if (value === null) continue;
    documents.push({ kind: "decisions", id: decisionId, version, value });
    indexes.push({ kind: "decision", from: made && placeOf(made), to: placeOf(value) });
  }
  for (const notes of [notesOfFeature(id), ...tasks.map((task) => notesOfTask(task.id))]) {
    const { value } = await present.find("notes", notes);
    const { version } = await fresh.find("notes", notes);
    if (value !== null) documents.push({ kind: "notes", id: notes, version, value });
  }
  for (const early of [`feature/${id}`, ...tasks.map((task) => `task/${task.id}`)]) {
    const { version } = await fresh.find("early", early);
    if (version > 0) documents.push({ kind: "early", id: early, version, value: null });
  }
  return (await fresh.commit({ documents, indexes }, [])) === "done";
}

async function keepTotals(present: ViewStore, fresh: ViewStore): Promise<void> {
  for (const name of ["landed", "hot"] as const)
    await fresh.redis.zunionstore(fresh.keys[name], 1, present.keys[name]);
  const { value } = await present.find("swarm", SWARM);
  const { version } = await fresh.find("swarm", SWARM);
  if (value === null) return;
  await fresh.commit({ documents: [{ kind: "swarm", id: SWARM, version, value }], indexes: [] }, []);
}
