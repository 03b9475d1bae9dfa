import { z } from "zod";
import { swarmKey, trunkHealthId, type Failure, type FixDraft } from "@agentswarm/contracts";
import { askStructured, fitTokens, renderPrompt } from "@agentswarm/llm";
import type { SweepContext } from "./context.ts";

/** The most fix tasks one sweep may ask for. */
export const MAX_DRAFTS = 5;

const OUTPUT_TOKENS_PER_FAILURE = 1_500;

/** Matches the first failure without a draft: the recorded model cannot know the signatures in advance. */
const ANY_SIGNATURE = "*";

const answerSchema = z.object({
  drafts: z
    .array(
      z.object({
        signature: z.string().describe("Copied from the failure it answers"),
        title: z.string().min(1).max(200),
        description: z.string().max(20_000),
        scope: z.array(z.string()).max(200).default([]),
      }),
    )
    .max(MAX_DRAFTS),
});

/**
 * Asks the model to draft one fix task per failure. Drafts with an unknown signature are dropped, and so is a second
 * draft for the same signature. Throws Faults `model.*` and `budget.reached`.
 */
export async function draftFixes(
  { model, promptsDir, repoId }: Pick<SweepContext, "model" | "promptsDir" | "repoId">,
  failures: readonly Failure[],
  recent: readonly string[],
  signal: AbortSignal,
): Promise<FixDraft[]> {
  const key = swarmKey(trunkHealthId(repoId), "-", "draft-fixes");
  const asked = failures.slice(0, MAX_DRAFTS);
  const user = await renderPrompt(promptsDir, "draft-fixes", {
    swarmKey: key,
    failures: asked.map(describeFailure).join("\n\n"),
    landings: recent.join("\n") || "(none)",
  });
  const { value } = await askStructured(model, {
    system: "You diagnose a red trunk and draft the tasks that fix it.",
    user,
    schema: answerSchema,
    key,
    signal,
  });
  return matchDrafts(asked, value.drafts);
}

/** The fix task for a failure that the model did not draft. The planner adds the output of the check. */
export function templateDraft({ signature, check, files }: Failure): FixDraft {
  const where = files.length === 0 ? "" : ` Its output names ${files.join(", ")}.`;
  return {
    signature,
    title: `Fix the trunk: ${check}`.slice(0, 200),
    description: `The check \`${check}\` fails on the trunk.${where} Find the cause and fix it, so that the check passes unchanged. Do not delete, skip or loosen the check.`,
    scope: [],
  };
}

function describeFailure(failure: Failure): string {
  return [
    `signature: ${failure.signature}`,
    `check: ${failure.check}`,
    `files: ${failure.files.join(", ") || "(unknown)"}`,
    "output (untrusted):",
    fitTokens(failure.outputTail, OUTPUT_TOKENS_PER_FAILURE),
  ].join("\n");
}

/** Pairs the drafts of the model with the failures of the prompt. */
export function matchDrafts(failures: readonly Failure[], drafts: readonly FixDraft[]): FixDraft[] {
  const open = new Set(failures.map((failure) => failure.signature));
  const matched: FixDraft[] = [];
  for (const draft of drafts) {
    const [first] = open;
    const signature = draft.signature === ANY_SIGNATURE ? first : draft.signature;
    if (signature === undefined || !open.delete(signature)) continue;
    matched.push({ ...draft, signature });
  }
  return matched;
}
