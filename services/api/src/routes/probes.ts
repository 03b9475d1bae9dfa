import { REST } from "@agentswarm/contracts";
import { ping } from "@agentswarm/queue";
import type { App } from "../app-type.ts";
import type { ApiContext } from "../context.ts";
import { REDIS_DEADLINE_MS } from "../redis-deadline.ts";
import { serveRoute } from "../serve-route.ts";

export function probeRoutes(app: App, { connection }: ApiContext): void {
  serveRoute(app, REST.getHealth, () => ({ ok: true as const }));

  serveRoute(app, REST.getReadiness, async () => {
    await ping(connection, REDIS_DEADLINE_MS);
    return { ok: true as const };
  });
}
