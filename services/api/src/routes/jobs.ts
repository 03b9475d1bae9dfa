import { QUEUE_NAMES, REST } from "@agentswarm/contracts";
import { retryJob } from "@agentswarm/queue";
import type { App } from "../app-type.ts";
import type { ApiContext } from "../context.ts";
import { listDeadLetters } from "../dead-letters.ts";
import { serveRoute } from "../serve-route.ts";

export function jobRoutes(app: App, { connection }: ApiContext): void {
  serveRoute(app, REST.listJobs, async ({ query: { queue, limit } }) => ({
    jobs: await listDeadLetters(connection, queue === undefined ? QUEUE_NAMES : [queue], limit),
  }));

  serveRoute(app, REST.retryJob, async ({ params: { queue, id } }) => {
    await retryJob(connection, queue, id);
    return { queue, id };
  });
}
