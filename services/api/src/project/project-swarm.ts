import { z } from "zod";
import { usedUpSchema, type DomainEvent } from "@agentswarm/contracts";
import { addCost } from "./cost-table.ts";
import type { SwarmView } from "./views.ts";

const KEPT_LANDINGS = 5_000;
const HOUR_MS = 3_600_000;

const landedSchema = z.object({ kind: z.literal("landed"), commit: z.string() });
const sweptSchema = z.object({ outcome: z.string(), head: z.string(), green: z.string().nullable() });
const conflictSchema = z.object({ paths: z.array(z.object({ path: z.string() })) });

/**
 * The swarm's totals after an event. Called once per event: the log lets each in only once, so that totals may add.
 */
export function projectSwarm(view: SwarmView, event: DomainEvent): SwarmView {
  switch (event.type) {
    case "model.used": {
      const { tokensIn, tokensOut, costUsd } = event.data;
      const costs = addCost(view.costs, event.data);
      return { ...view, costUsd: view.costUsd + costUsd, tokens: view.tokens + tokensIn + tokensOut, costs };
    }
    case "budget.reached": {
      const reached = usedUpSchema.safeParse(event.data);
      if (!reached.success || reached.data.level !== "swarm") return view;
      return { ...view, budgetReached: { ...reached.data, at: event.at } };
    }
    case "attempt.started":
      if (event.taskId === undefined || event.attempt === undefined) return view;
      return { ...view, live: { ...view.live, [event.taskId]: event.attempt } };
    case "attempt.ended": {
      if (event.taskId === undefined || view.live[event.taskId] !== event.attempt) return view;
      const { [event.taskId]: _, ...live } = view.live;
      return { ...view, live };
    }
    case "landing.landed": {
      const landed = landedSchema.safeParse(event.data);
      if (!landed.success) return view;
      const landedAt = [...view.landedAt, event.at].slice(-KEPT_LANDINGS);
      return { ...view, trunk: landed.data.commit, landings: view.landings + 1, landedAt };
    }
    case "landing.conflicted": {
      const conflict = conflictSchema.safeParse(event.data);
      const hotFiles = { ...view.hotFiles };
      for (const { path } of conflict.success ? conflict.data.paths : [])
        hotFiles[path] = (hotFiles[path] ?? 0) + 1;
      return { ...view, hotFiles };
    }
    case "sweep.finished": {
      const swept = sweptSchema.safeParse(event.data);
      if (!swept.success) return view;
      const { outcome, head, green } = swept.data;
      return {
        ...view,
        trunk: view.trunk ?? head,
        green: green ?? view.green,
        lastSweep: { at: event.at, outcome, head },
      };
    }
    default:
      return view;
  }
}

/** Landings within the last hour of `now`. */
export function landingsLastHour(view: SwarmView, now: number): number {
  return view.landedAt.filter((at) => at > now - HOUR_MS).length;
}
