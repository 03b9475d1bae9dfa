import { z } from "zod";
import { answerRefusalSchema, decisionSchema } from "../decision.ts";
import { idSchema } from "../ids.ts";
import { eventSchema } from "./about.ts";

/** The decision as it stands after the change. */
const data = z.object({ decision: decisionSchema });

export const decisionAsked = eventSchema("decision.asked", "feature", data);

/** Somebody gave a valid answer; it is decided once `needs.count` persons agree. */
export const decisionAnswered = eventSchema("decision.answered", "feature", data);

/** At half of its time, and once more, as an escalation, at three quarters. */
export const decisionReminded = eventSchema("decision.reminded", "feature", data);

/** `onTimeout: hold` leaves it open. */
export const decisionTimedOut = eventSchema("decision.timed-out", "feature", data);

/** What it was about is gone: landed, superseded, cancelled. */
export const decisionWithdrawn = eventSchema("decision.withdrawn", "feature", data);

/** An answer that decided nothing: somebody was faster, the head has changed, or this person may not answer. */
export const answerRefused = eventSchema(
  "answer.refused",
  "feature",
  answerRefusalSchema.extend({ decisionId: idSchema }),
);
