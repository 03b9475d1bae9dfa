import { asFault } from "@agentswarm/contracts";
import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { remindOrEnd } from "./ledger/decisions/remind-or-end.ts";
import { countShown, tasksIn } from "./ledger/find-tasks.ts";
import { moveDecision } from "./move.ts";
import { readOpen } from "./read-open.ts";

/** Number of decisions that one audit looks at. */
const AT_ONCE = 100;

/** Does what was due about decisions and whose message got lost. What is wrong with one of them keeps no other from it. */
export async function auditDecisions(ctx: PlannerContext): Promise<void> {
  for (const due of await ctx.ledgers.dueDecisions(await ctx.connection.now(), AT_ONCE)) {
    try {
      await moveDecision(ctx, due, remindOrEnd);
    } catch (error) {
      const fault = asFault(error);
      if (fault.source === "machine") throw fault;
      ctx.log.error({ ...due, err: fault }, "what is due about a decision could not be done");
    }
  }
}

/** Has people asked about the tasks that a planner of an earlier version held, which asked nobody. */
export async function askAboutOlderHolds(ctx: PlannerContext): Promise<void> {
  for (const ledger of await readOpen(ctx)) {
    if (countShown(ledger, ["held"]) === 0) continue;
    const { id: featureId } = ledger.feature;
    try {
      await step(ctx, featureId, (now) => {
        // Every step asks about the held tasks that it has read.
        if (now !== null) tasksIn(now, ["held"]);
        return now;
      });
    } catch (error) {
      const fault = asFault(error);
      if (fault.source === "machine") throw fault;
      ctx.log.error({ featureId, err: fault }, "people could not be asked about the held tasks of a feature");
    }
  }
}
