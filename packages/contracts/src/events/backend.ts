import { z } from "zod";
import { eventSchema } from "./about.ts";

/** Its circuit breaker opened, and it gets no calls for now. */
export const backendOpened = eventSchema(
  "backend.opened",
  "swarm",
  z.object({ backend: z.string(), why: z.string() }),
);

/** Its circuit breaker closed, and it gets calls again. */
export const backendClosed = eventSchema("backend.closed", "swarm", z.object({ backend: z.string() }));
