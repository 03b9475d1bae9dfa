import { z } from "zod";
import type { QueueConnection } from "./connect.ts";
import { openDocuments } from "./documents.ts";

const KEY = "all";
const schema = z.object({
  taskIds: z.array(z.string()),
  /** Redis time of the writing. */
  at: z.int(),
});

/**
 * The tasks whose attempts are still needed, by the planner: the task may land yet, or a task that resolves its conflict
 * may. The dispatcher keeps their commits, however old.
 */
export function openTasksInUse(connection: QueueConnection): {
  tell(taskIds: readonly string[]): Promise<void>;
  /** Null when the planner has not said it within `withinMs`. */
  read(withinMs: number): Promise<ReadonlySet<string> | null>;
} {
  const documents = openDocuments(connection, "tasks-in-use", schema);
  return {
    async tell(taskIds) {
      const at = await connection.now();
      await documents.update(KEY, () => ({ taskIds: [...taskIds], at }));
    },
    async read(withinMs) {
      const found = (await documents.get(KEY))?.value;
      if (found === undefined || (await connection.now()) - found.at > withinMs) return null;
      return new Set(found.taskIds);
    },
  };
}
