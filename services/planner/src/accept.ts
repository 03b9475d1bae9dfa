import { Fault, swarmKey } from "@agentswarm/contracts";
import { askStructured, fitTokens, renderPrompt } from "@agentswarm/llm";
import { z } from "zod";
import { step } from "./carry-out.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { plannedTaskSchema, refusePlan } from "./ledger/validate-plan.ts";
import { replan, spend, unlessEnded } from "./ledger/steps.ts";
import { meter } from "./meter.ts";
import type { Workshop } from "./workshop.ts";

const HANDOFF_TOKENS = 8_000;

const acceptanceSchema = z.object({
  met: z.boolean(),
  reason: z.string().max(4_000),
  tasks: z.array(plannedTaskSchema).default([]).describe("What is still missing; empty when met"),
});

/** Asks the model, once per planning round, whether what has landed is what was asked for. */
export async function acceptFeature(shop: Workshop, ledger: Ledger): Promise<void> {
  const { feature, planningRound } = ledger;
  const key = swarmKey(feature.title, "-", "accept");
  const landed = ledger.tasks.filter((record) => record.status === "landed");
  const handoffs = landed.map(({ task, lastHandoff }) =>
    [
      `## ${task.title}`,
      lastHandoff?.summary ?? "",
      ...(lastHandoff?.concerns ?? []).map((one) => `concern: ${one}`),
    ].join("\n"),
  );
  const user = await renderPrompt(shop.promptsDir, "accept", {
    swarmKey: key,
    title: feature.title,
    description: feature.description || "(none)",
    acceptance:
      feature.acceptance.map((item) => `- ${item}`).join("\n") || "(none; judge by the description)",
    files:
      [...new Set(landed.flatMap((record) => record.lastHandoff?.filesChanged ?? []))].join("\n") || "(none)",
    handoffs: fitTokens(handoffs.join("\n\n"), HANDOFF_TOKENS),
  });
  const system = "You judge whether a feature is done.";
  const answer = await askStructured(shop.model, { system, user, schema: acceptanceSchema, key }).catch(
    (error: unknown) => {
      const fault = Fault.from(error);
      if (fault.retryable || !fault.code.startsWith("model.")) throw fault;
      return fault;
    },
  );
  const still = (open: Ledger) => open.status === "building" && open.planningRound === planningRound;
  if (answer instanceof Fault) {
    await step(shop, feature.id, (now) =>
      unlessEnded(now, (open) => (still(open) ? replan(open, answer.message) : open)),
    );
    return;
  }
  const { value, usage } = answer;
  await meter(shop, ledger, "accept", usage);
  const keys = new Set(landed.map((record) => record.task.key));
  const refusal = value.met ? null : refusePlan(value.tasks, keys, shop.maxTasks);
  const made = await step(shop, feature.id, (now) =>
    unlessEnded(now, (open) => {
      if (!still(open)) return open;
      const spent = spend(open, usage);
      if (value.met) return { ...spent, status: "verifying", reason: value.reason };
      const next = replan(spent, `Not accepted: ${value.reason}`);
      // Tasks that cannot be carried out are planned anew, with the reason for both.
      return refusal === null
        ? adoptPlan(next, value.tasks, landed[0]?.task.context ?? "", shop.defaults)
        : next;
    }),
  );
  if (made?.after.status === "verifying") {
    await shop.sender.send(
      "sweep",
      { why: "last-task" },
      { jobId: `last-task-${feature.id}-${made.version}` },
    );
  }
}
