import { openDocuments, type QueueConnection } from "@agentswarm/queue";
import { z } from "zod";
import { taskRecordSchema, type TaskRecord } from "../../services/planner/src/ledger/task-record.ts";

/** The ledger of version 0.1.0 in short: one JSON document for a feature, parsed and written whole by every step. */
const documentSchema = z.object({ status: z.string(), tasks: z.array(taskRecordSchema) });
type Document = z.infer<typeof documentSchema>;

/** Version 0.1.0 reads the ledger so often besides its writes: to move the feature on, and for the history of costs. */
const READS_BESIDE = 2;

export function openBaseline(connection: QueueConnection) {
  const documents = openDocuments(connection, "baseline", documentSchema);
  return {
    fill: (featureId: string, tasks: readonly TaskRecord[]) =>
      documents.compareAndSet(featureId, 0, { status: "building", tasks: [...tasks] }),
    /** One handoff that lands a task: the step, the removal of its effects, and the reads beside them. */
    async land(featureId: string, taskId: string): Promise<void> {
      let before: Document | null = null;
      const after = await documents.update(featureId, (document) => {
        before = document;
        return document && land(document, taskId);
      });
      // Once for the effects of the step, and once for its events.
      for (const _ of ["effects", "events"])
        if (before !== null && after !== null) changesBetween(before, after);
      await documents.update(featureId, (document) => document && { ...document });
      for (let read = 0; read < READS_BESIDE; read += 1) await documents.get(featureId);
    },
  };
}

function land(document: Document, taskId: string): Document {
  const tasks = document.tasks.map((record) =>
    record.task.id === taskId ? { ...record, status: "landed" as const, commit: "c".repeat(40) } : record,
  );
  return { ...document, tasks };
}

/** Finds what a step changed, as version 0.1.0 did: by a search for every task. */
function changesBetween(before: Document, after: Document): number {
  const old = (id: string) => before.tasks.find((one) => one.task.id === id);
  return after.tasks.filter((record) => old(record.task.id)?.status !== record.status).length;
}
