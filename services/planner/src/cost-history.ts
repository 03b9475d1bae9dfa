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

/** KEYS: hash of task id → cost, list of the ids, the newest first. ARGV: id, cost, number of tasks that are kept. */
const ADD = `
if redis.call("HSETNX", KEYS[1], ARGV[1], ARGV[2]) == 0 then return end
if redis.call("LPUSH", KEYS[2], ARGV[1]) > tonumber(ARGV[3]) then redis.call("HDEL", KEYS[1], redis.call("RPOP", KEYS[2])) end`;

const costSchema = z.object({ kind: taskKindSchema, costUsd: z.number(), tokens: z.int() });

/** How version 0.1 kept the costs: as one document, which is read beside the newer ones. */
const olderSchema = z.array(costSchema.extend({ taskId: z.string() }));
const OLDER_KEY = "landed";

export function openCostHistory(connection: QueueConnection): CostHistory {
  const { redis } = connection;
  const costs = connection.key("cost-history", "costs");
  const order = connection.key("cost-history", "order");
  const older = openDocuments(connection, "cost-history", olderSchema);
  return {
    async all() {
      const newest = await redis.hvals(costs);
      const before = (await older.get(OLDER_KEY))?.value ?? [];
      return [...before, ...newest.map((text) => costSchema.parse(JSON.parse(text)))].slice(-KEPT);
    },
    async add(taskId, cost) {
      await redis.eval(ADD, 2, costs, order, taskId, JSON.stringify(costSchema.parse(cost)), KEPT);
    },
  };
}
