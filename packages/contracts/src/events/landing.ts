import { z } from "zod";
import { clippedText, tailText } from "../bounded.ts";
import { HANDOFF_LIMITS } from "../handoff.ts";
import { objectIdSchema } from "../ids.ts";
import { mergeOutcomes } from "../merge.ts";
import { eventSchema } from "./about.ts";

/** What every event about a landing says of the attempt beside the outcome. */
const attempt = {
  title: clippedText(200),
  model: clippedText(200),
  costUsd: z.number().min(0).describe("What the attempt's model calls cost"),
};

/**
 * `already-landed`: the merger was killed after publishing and found its own commit, or, with `empty`, other landings
 * brought every change of the attempt.
 */
export const landingLanded = eventSchema(
  "landing.landed",
  "attempt",
  z.discriminatedUnion("kind", [
    mergeOutcomes.landed.extend(attempt),
    mergeOutcomes.alreadyLanded.extend(attempt),
  ]),
);

export const landingConflicted = eventSchema(
  "landing.conflicted",
  "attempt",
  mergeOutcomes.conflict.extend(attempt),
);

/** `unsafe`: quarantine or the merger refused the commits without running a check. */
export const landingRejected = eventSchema(
  "landing.rejected",
  "attempt",
  z.discriminatedUnion("kind", [
    mergeOutcomes.rejected.extend(attempt),
    mergeOutcomes.unsafe.extend(attempt),
  ]),
);

/** A person must approve or refuse it. */
export const landingHeld = eventSchema("landing.held", "attempt", mergeOutcomes.held.extend(attempt));

/** A gate check was red, then green on the same tree. */
export const gateFlaked = eventSchema(
  "gate.flaked",
  "repo",
  z.object({
    check: clippedText(4_000),
    tree: objectIdSchema,
    outputTail: tailText(HANDOFF_LIMITS.outputTailChars),
  }),
);
