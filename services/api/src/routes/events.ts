import { REST, eventCursorSchema } from "@agentswarm/contracts";
import type { App } from "../app-type.ts";
import type { ApiContext } from "../context.ts";
import { serveRoute } from "../serve-route.ts";
import { streamEvents } from "../stream-events.ts";

export function eventRoutes(app: App, { model }: ApiContext, stopping: AbortSignal): void {
  serveRoute(app, REST.followEvents, async ({ query, headers, request, reply }) => {
    const resumed = eventCursorSchema.safeParse(headers["last-event-id"]);
    const after = resumed.data ?? query.after ?? (await model.events.lastId());
    // The deadline was reached meanwhile, so the request is answered.
    if (reply.raw.headersSent) return undefined;
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    void streamEvents(model.events, after, { raw: reply.raw, log: request.log, stopping });
    return undefined;
  });
}
