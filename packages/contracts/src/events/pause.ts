import { z } from "zod";
import { pauseSchema, pauseScopeSchema } from "../pause.ts";
import { eventSchema } from "./about.ts";

const data = z.object({ scope: pauseScopeSchema, pause: pauseSchema });

export const paused = eventSchema("work.paused", "swarm", data);

/** `pause` says who resumed it, and why. */
export const resumed = eventSchema("work.resumed", "swarm", data);
