import { z } from "zod";
import { clippedText } from "../bounded.ts";
import type { Route } from "./route.ts";

/** The id of an event in the log, as SSE carries it; `0` is the beginning. */
export const eventCursorSchema = z.string().regex(/^\d{1,20}-\d{1,20}$|^0$/, "must be an event's id, or 0");

export const EVENT_ROUTES = {
  followEvents: {
    method: "GET",
    path: "/v1/events",
    tag: "swarm",
    summary: "All events as server-sent events; a reader that reconnects continues after its Last-Event-ID",
    needs: "viewer",
    repeatable: true,
    query: z.object({
      after: eventCursorSchema.optional().describe("0 is the beginning; default: now"),
    }),
    headers: z.object({ "last-event-id": clippedText(100).optional().describe("Goes before `after`") }),
    status: 200,
    type: "text/event-stream",
    response: z
      .string()
      .describe("Frames of `id` (the cursor), `event` (the type) and `data` (a DomainEvent as JSON)"),
  },
} as const satisfies Record<string, Route>;
