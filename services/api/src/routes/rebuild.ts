import { REST } from "@agentswarm/contracts";
import type { App } from "../app-type.ts";
import type { ApiContext } from "../context.ts";
import { serveRoute } from "../serve-route.ts";

export function rebuildRoutes(app: App, { rebuilds }: ApiContext): void {
  serveRoute(app, REST.rebuildViews, () => rebuilds.begin());
  serveRoute(app, REST.getRebuild, () => rebuilds.state());
}
