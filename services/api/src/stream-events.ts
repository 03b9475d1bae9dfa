import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { FastifyBaseLogger } from "fastify";
import type { EventLog } from "@agentswarm/queue";

const KEEP_ALIVE_MS = 15_000;

interface EventReader {
  readonly raw: ServerResponse;
  readonly log: FastifyBaseLogger;
  readonly stopping: AbortSignal;
}

/** Writes all events after a cursor as server-sent events, until the reader goes away or the service stops. */
export async function streamEvents(events: EventLog, after: string, reader: EventReader): Promise<void> {
  const { raw, log, stopping } = reader;
  const gone = new AbortController();
  raw.on("close", () => gone.abort());
  const signal = AbortSignal.any([gone.signal, stopping]);
  raw.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  // Names the cursor, so that a client that is cut off before its first event misses none.
  raw.write(`: listening after ${after}\n\n`);
  const alive = setInterval(() => raw.write(": keep-alive\n\n"), KEEP_ALIVE_MS);
  try {
    for await (const { id, event } of events.follow(after, signal)) {
      const hasRoom = raw.write(`id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      // A slow reader waits here at its own place in the log and delays no other.
      if (!hasRoom) await once(raw, "drain", { signal }).catch(() => undefined);
    }
  } catch (error) {
    log.warn({ err: error }, "event stream ended early");
  } finally {
    clearInterval(alive);
    raw.end();
  }
}
