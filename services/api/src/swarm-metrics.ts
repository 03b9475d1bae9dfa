import { Counter, Gauge, Registry } from "prom-client";
import { decisionKindSchema, type SwarmStatus } from "@agentswarm/contracts";
import { entriesOf, type CostTable } from "./project/cost-table.ts";

/** The status as metrics in Prometheus text format 0.0.4. `lags` is the event-loop lag in milliseconds by service. */
export async function renderMetrics(
  status: SwarmStatus,
  costs: CostTable,
  lags: ReadonlyMap<string, number>,
): Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `agentswarm_${name}`, help, labelNames, registers: [registry] });
  const counter = (name: string, help: string) =>
    new Counter({ name: `agentswarm_${name}`, help, labelNames: ["role", "backend"], registers: [registry] });

  const jobs = gauge("queue_jobs", "Jobs by queue and state", ["queue", "state"]);
  for (const [queue, counts] of Object.entries(status.queues)) {
    for (const [state, count] of Object.entries(counts)) jobs.set({ queue, state }, count);
  }
  const features = gauge("features", "Features by status", ["status"]);
  for (const [name, count] of Object.entries(status.features)) features.set({ status: name }, count);
  const { byKind, overdue, oldestAskedAt } = status.decisions;
  const open = gauge("decisions_open", "Decisions that wait for a person, by kind", ["kind"]);
  for (const kind of decisionKindSchema.options) open.set({ kind }, byKind[kind] ?? 0);
  gauge("decisions_overdue", "Open decisions that should have been decided by now").set(overdue);
  // A time and no age, so that a scrape needs no clock but its own: time() - agentswarm_decision_oldest_asked_seconds.
  if (oldestAskedAt !== null)
    gauge(
      "decision_oldest_asked_seconds",
      "When the oldest open decision was asked, in seconds since 1970",
    ).set(oldestAskedAt / 1_000);
  gauge("agents_live", "Running attempts").set(status.agents.live);
  gauge("landings", "Attempts landed").set(status.landings.total);
  gauge("landings_last_hour", "Attempts landed within the last hour").set(status.landings.lastHour);
  const usd = counter("cost_usd_total", "Cost of model calls in US dollars, by role and backend");
  const tokens = counter("tokens_total", "Tokens of model calls, by role and backend");
  for (const [role, backend, amount] of entriesOf(costs)) {
    usd.inc({ role, backend }, amount.usd);
    tokens.inc({ role, backend }, amount.tokens);
  }
  gauge("trunk_is_green", "1 when green is the trunk's head").set(
    status.trunk !== null && status.trunk === status.green ? 1 : 0,
  );
  const lag = gauge("event_loop_lag_seconds", "Longest pause of an event loop in the last minute", [
    "service",
  ]);
  for (const [service, ms] of lags) lag.set({ service }, ms / 1_000);
  return registry.metrics();
}
