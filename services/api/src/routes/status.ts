import { REST } from "@agentswarm/contracts";
import { readLag } from "@agentswarm/queue";
import type { App } from "../app-type.ts";
import type { ApiContext } from "../context.ts";
import { serveRoute } from "../serve-route.ts";
import { renderMetrics } from "../swarm-metrics.ts";
import { readSwarmStatus } from "../swarm-status.ts";

export function statusRoutes(app: App, ctx: ApiContext): void {
  serveRoute(app, REST.getStatus, () => readSwarmStatus(ctx));

  serveRoute(app, REST.getMetrics, async () => {
    const [status, { costs }, lags] = await Promise.all([
      readSwarmStatus(ctx),
      ctx.model.swarm(),
      readLag(ctx.connection),
    ]);
    return renderMetrics(status, costs, lags);
  });
}
