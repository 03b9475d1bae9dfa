import { z } from "zod";
import { clippedText } from "../bounded.ts";
import { eventSchema } from "./about.ts";

/** Its circuit breaker opened, and it gets no calls for now. */
export const backendOpened = eventSchema(
  "backend.opened",
  "swarm",
  z.object({ backend: clippedText(200), why: clippedText(1_000) }),
);

/** Its circuit breaker closed, and it gets calls again. */
export const backendClosed = eventSchema("backend.closed", "swarm", z.object({ backend: clippedText(200) }));
