import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import { Fault } from "@agentswarm/contracts";
import { boardQueues, ping } from "@agentswarm/queue";
import { REDIS_DEADLINE_MS, type App, type House } from "./house.ts";
import { Problem } from "./problem.ts";

export const BOARD_PATH = "/queues";

/** Bull Board over all queues, for looking only: jobs are moved by services and by the API's own routes. */
export function mountBoard(app: App, { connection }: House): void {
  const adapter = new FastifyAdapter();
  adapter.setBasePath(BOARD_PATH);
  createBullBoard({
    queues: boardQueues(connection).map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: "AgentSwarm" } },
  });
  void app.register(async (scope) => {
    scope.addHook("preHandler", async ({ method }) => {
      if (method !== "GET" && method !== "HEAD") throw new Problem(405, "read-only", "the board only shows");
      // Its own handlers wait for Redis without an end.
      await ping(connection, REDIS_DEADLINE_MS).catch((error: unknown) => {
        throw new Problem(503, "redis-unavailable", Fault.from(error).message);
      });
    });
    await scope.register(adapter.registerPlugin(), { prefix: BOARD_PATH });
  });
}
