import type { FastifyReply, FastifyRequest } from "fastify";
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import { Fault, QUEUE_NAMES, type QueueName } from "@agentswarm/contracts";
import { boardQueues, retryJob, withDeadline } from "@agentswarm/queue";
import type { App } from "./app-type.ts";
import type { ApiContext } from "./context.ts";
import { retryDeadLetters } from "./dead-letters.ts";
import { asProblem, Problem } from "./problem.ts";
import { REDIS_DEADLINE_MS } from "./redis-deadline.ts";
import { inTraceOf } from "./trace-request.ts";

export const BOARD_PATH = "/queues";

const QUEUE = `(${QUEUE_NAMES.join("|")})`;
const RETRY_ONE = new RegExp(`^${BOARD_PATH}/api/queues/${QUEUE}/([^/]+)/retry$`);
const RETRY_ALL = new RegExp(`^${BOARD_PATH}/api/queues/${QUEUE}/retry/failed$`);

/**
 * Bull Board over all queues. It shows jobs and retries failed ones; every other change is refused, as services and the
 * API's own routes move jobs. Its page has one mode for all users, so buttons are shown that are refused.
 */
export function mountBoard(app: App, { connection }: ApiContext): void {
  const adapter = new FastifyAdapter();
  adapter.setBasePath(BOARD_PATH);
  const description = "Failed jobs can be retried here; the board refuses every other change.";
  createBullBoard({
    queues: boardQueues(connection).map((queue) => new BullMQAdapter(queue, { description })),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: "AgentSwarm" } },
  });
  void app.register(async (scope) => {
    // In place of the board's own handlers, which leave a job's crash count as it is.
    scope.addHook("preHandler", async (request, reply) => {
      if (request.method === "GET" || request.method === "HEAD") return;
      const retrying = inTraceOf(request, () => retryFromBoard(connection, request, reply));
      // A hook is not covered by the deadline of the handlers.
      await withDeadline(retrying, REDIS_DEADLINE_MS).catch((error: unknown) => {
        throw error instanceof Fault ? asProblem(error) : error;
      });
    });
    await scope.register(adapter.registerPlugin(), { prefix: BOARD_PATH });
  });
}

async function retryFromBoard(
  connection: ApiContext["connection"],
  { method, url, log, person: { by, via } }: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const path = url.split("?")[0] ?? "";
  const [, one, id] = (method === "PUT" && RETRY_ONE.exec(path)) || [];
  const [, all] = (method === "PUT" && RETRY_ALL.exec(path)) || [];
  if (one !== undefined && id !== undefined) {
    const jobId = decodeURIComponent(id);
    await retryJob(connection, one as QueueName, jobId);
    log.info({ queue: one, jobId, by, via }, "failed job was put back into its queue");
    return void (await reply.code(204).send());
  }
  if (all !== undefined) {
    const retried = await retryDeadLetters(connection, all as QueueName);
    log.info({ queue: all, retried, by, via }, "failed jobs were put back into their queue");
    return void (await reply.send({ retried, skipped: 0 }));
  }
  throw new Problem(405, "read-only", "the board retries failed jobs and changes nothing else");
}
