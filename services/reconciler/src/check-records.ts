import { z } from "zod";
import { checkResultSchema, fixDraftSchema, repoScoped } from "@agentswarm/contracts";
import { openDocuments, type QueueConnection } from "@agentswarm/queue";

const checkRecordSchema = z.object({
  checks: z.array(checkResultSchema),
  /** Fix tasks that the model drafted for the failed checks. */
  drafts: z.array(fixDraftSchema),
  /** Redis time at which the checks ended. */
  at: z.int(),
});
/** The results of a list of checks on a tree. */
export type CheckRecord = z.infer<typeof checkRecordSchema>;

/** The newest check records, by tree and list of checks. */
export interface CheckRecords {
  find(tree: string, checksHash: string): Promise<CheckRecord | null>;
  keep(tree: string, checksHash: string, record: CheckRecord): Promise<void>;
}

/** The largest number of kept records. */
const KEPT = 100;

export function openCheckRecords(connection: QueueConnection, repoId: string): CheckRecords {
  const documents = openDocuments(connection, repoScoped("verdicts", repoId), checkRecordSchema);
  const keyOf = (tree: string, checksHash: string) => `${tree}-${checksHash}`;
  return {
    find: async (tree, checksHash) => (await documents.get(keyOf(tree, checksHash)))?.value ?? null,
    async keep(tree, checksHash, record) {
      await documents.update(keyOf(tree, checksHash), () => record);
      const newestFirst = [...(await documents.all())].toSorted(([, a], [, b]) => b.at - a.at);
      for (const [old] of newestFirst.slice(KEPT)) await documents.delete(old);
    },
  };
}
