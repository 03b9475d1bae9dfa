import { z } from "zod";
import { taskKindSchema } from "@agentswarm/contracts";
import { openDocuments, type QueueConnection } from "@agentswarm/queue";
import type { TaskCost } from "./forecast.ts";

/** Costs of the newest landed tasks, for forecasts. */
export interface CostHistory {
  all(): Promise<TaskCost[]>;
  /** Adding a task again changes nothing. */
  add(taskId: string, cost: TaskCost): Promise<void>;
}

const KEPT = 500;
const KEY = "landed";

const historySchema = z.array(
  z.object({ taskId: z.string(), kind: taskKindSchema, costUsd: z.number(), tokens: z.int() }),
);

export function openCostHistory(connection: QueueConnection): CostHistory {
  const documents = openDocuments(connection, "cost-history", historySchema);
  return {
    all: async () => (await documents.get(KEY))?.value ?? [],
    async add(taskId, cost) {
      await documents.update(KEY, (known) => {
        if (known?.some((one) => one.taskId === taskId)) return null;
        return [...(known ?? []), { taskId, ...cost }].slice(-KEPT);
      });
    },
  };
}
