import { once } from "node:events";
import { z } from "zod";
import { withDeadline } from "@agentswarm/queue";
import { REDIS_DEADLINE_MS, type App, type House } from "../house.ts";

const KEEP_ALIVE_MS = 15_000;
const STREAM_ID = /^\d+-\d+$|^0$/;

/** Everything that happens, as server-sent events; a reader that comes back goes on after its Last-Event-ID. */
export function eventRoutes(app: App, { model }: House, stopping: AbortSignal): void {
  app.get(
    "/v1/events",
    {
      schema: {
        tags: ["swarm"],
        summary: "Server-sent events",
        querystring: z.object({
          after: z.string().regex(STREAM_ID).optional().describe("0 is the beginning; default: now"),
        }),
      },
    },
    async (request, reply) => {
      const resumed = request.headers["last-event-id"];
      const given = typeof resumed === "string" && STREAM_ID.test(resumed) ? resumed : request.query.after;
      const after = given ?? (await withDeadline(model.events.lastId(), REDIS_DEADLINE_MS));
      const gone = new AbortController();
      request.raw.on("close", () => gone.abort());
      const signal = AbortSignal.any([gone.signal, stopping]);
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      });
      raw.write(": listening\n\n");
      const alive = setInterval(() => raw.write(": still here\n\n"), KEEP_ALIVE_MS);
      try {
        for await (const { id, event } of model.events.follow(after, signal)) {
          const room = raw.write(`id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
          // A slow reader waits here with its own place in the log and holds up nobody.
          if (!room) await once(raw, "drain", { signal }).catch(() => undefined);
        }
      } catch (error) {
        request.log.warn({ err: error }, "the event stream ended early");
      } finally {
        clearInterval(alive);
        raw.end();
      }
    },
  );
}
