import { z } from "zod";
import { pauseSchema, pauseScopeSchema } from "../pause.ts";
import type { Route } from "./route.ts";

const scopeSchema = pauseScopeSchema.default({ kind: "swarm" });

/** Something that is paused, with who paused it and why. */
export const pausedWorkSchema = z.object({ scope: pauseScopeSchema, pause: pauseSchema });
export type PausedWork = z.infer<typeof pausedWorkSchema>;

const COMMAND = {
  method: "POST",
  tag: "swarm",
  needs: "operator",
  repeatable: true,
  status: 202,
  type: "application/json",
  response: z.object({ scope: pauseScopeSchema }),
} as const;

export const PAUSE_ROUTES = {
  pauseWork: {
    ...COMMAND,
    path: "/v1/pause",
    summary: "Pause the swarm, a repository's landings or a feature; what runs goes on",
    body: z.object({ scope: scopeSchema, why: z.string().trim().min(1).max(2_000) }),
  },
  resumeWork: {
    ...COMMAND,
    path: "/v1/resume",
    summary: "Resume what was paused",
    body: z.object({ scope: scopeSchema, why: z.string().trim().max(2_000).default("") }),
  },
} as const satisfies Record<string, Route>;
