import { z } from "zod";
import { checkResultSchema, fixDraftSchema } from "@agentswarm/contracts";
import { openDocuments, type QueueConnection } from "@agentswarm/queue";

const verdictSchema = z.object({
  checks: z.array(checkResultSchema),
  /** Fix tasks that the model has worded for what failed. */
  drafts: z.array(fixDraftSchema),
  /** Redis time at which the checks had been run. */
  at: z.int(),
});
/** What a list of checks gave on a tree. */
export type Verdict = z.infer<typeof verdictSchema>;

/** The newest verdicts, by tree and list of checks. */
export interface Verdicts {
  find(tree: string, checksHash: string): Promise<Verdict | null>;
  keep(tree: string, checksHash: string, verdict: Verdict): Promise<void>;
}

const KEPT = 100;

export function openVerdicts(connection: QueueConnection): Verdicts {
  const documents = openDocuments(connection, "verdicts", verdictSchema);
  const keyOf = (tree: string, checksHash: string) => `${tree}-${checksHash}`;
  return {
    find: async (tree, checksHash) => (await documents.get(keyOf(tree, checksHash)))?.value ?? null,
    async keep(tree, checksHash, verdict) {
      const key = keyOf(tree, checksHash);
      await documents.update(key, () => verdict);
      const newestFirst = [...(await documents.all())].toSorted(([, a], [, b]) => b.at - a.at);
      for (const [old] of newestFirst.slice(KEPT)) await documents.delete(old);
    },
  };
}
