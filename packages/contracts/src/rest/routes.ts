import { DECISION_ROUTES } from "./decisions.ts";
import { EVENT_ROUTES } from "./events.ts";
import { FEATURE_ROUTES } from "./features.ts";
import { JOB_ROUTES } from "./jobs.ts";
import { KEY_ROUTES } from "./keys.ts";
import { NOTE_ROUTES } from "./notes.ts";
import { PAUSE_ROUTES } from "./pause.ts";
import { PROBE_ROUTES } from "./probes.ts";
import { REBUILD_ROUTES } from "./rebuild.ts";
import { STATUS_ROUTES } from "./status.ts";
import { TASK_ROUTES } from "./tasks.ts";
import type { Route } from "./route.ts";

/** Every route of the REST API: the server registers these and the client asks these. */
export const REST = {
  ...FEATURE_ROUTES,
  ...TASK_ROUTES,
  ...NOTE_ROUTES,
  ...DECISION_ROUTES,
  ...STATUS_ROUTES,
  ...EVENT_ROUTES,
  ...PAUSE_ROUTES,
  ...REBUILD_ROUTES,
  ...JOB_ROUTES,
  ...KEY_ROUTES,
  ...PROBE_ROUTES,
} as const satisfies Record<string, Route>;
export type RouteName = keyof typeof REST;
