import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import { boardQueues } from "@agentswarm/queue";
import type { App } from "./app-type.ts";
import type { ApiContext } from "./context.ts";
import { Problem } from "./problem.ts";

export const BOARD_PATH = "/queues";

/** Bull Board over all queues, for looking only: jobs are moved by services and by the API's own routes. */
export function mountBoard(app: App, { connection }: ApiContext): void {
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
    });
    await scope.register(adapter.registerPlugin(), { prefix: BOARD_PATH });
  });
}
