import { z } from "zod";
import type { Route } from "./route.ts";

const okSchema = z.object({ ok: z.literal(true) });

export const PROBE_ROUTES = {
  getHealth: {
    method: "GET",
    path: "/healthz",
    tag: "probes",
    summary: "Whether the process answers",
    needs: "nothing",
    repeatable: true,
    status: 200,
    type: "application/json",
    response: okSchema,
  },
  getReadiness: {
    method: "GET",
    path: "/readyz",
    tag: "probes",
    summary: "Whether Redis answers in time",
    needs: "nothing",
    repeatable: true,
    status: 200,
    type: "application/json",
    response: okSchema,
  },
  getMetrics: {
    method: "GET",
    path: "/metrics",
    tag: "probes",
    summary: "Metrics for Prometheus",
    needs: "viewer",
    repeatable: true,
    status: 200,
    type: "text/plain; version=0.0.4",
    response: z.string().describe("Prometheus text format 0.0.4"),
  },
} as const satisfies Record<string, Route>;
