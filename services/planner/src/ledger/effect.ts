import { z } from "zod";
import { eventToSendSchema, liftEvent, sweepReasonSchema } from "@agentswarm/contracts";
import { isRecord } from "./is-record.ts";

/** An action that a step of the ledger requires. Every effect is idempotent. */
export const effectSchema = z.preprocess(
  liftOldEffect,
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("send"), taskId: z.string(), round: z.int().min(1) }),
    z.object({ kind: z.literal("cancel"), taskId: z.string(), round: z.int().min(1) }),
    z.object({ kind: z.literal("sweep"), why: sweepReasonSchema, jobId: z.string() }),
    z.object({
      kind: z.literal("due"),
      decisionId: z.string(),
      /** Number of reminders before it. */
      nth: z.int().min(0),
      /** Milliseconds since 1970, Redis time. */
      at: z.int(),
    }),
    z.object({ kind: z.literal("not-due"), decisionId: z.string(), nth: z.int().min(0) }),
    z.object({
      kind: z.literal("signal"),
      /** null: all running tasks of the feature. */
      taskId: z.string().nullable(),
      noteIds: z.array(z.string()),
    }),
    z.object({ kind: z.literal("cap"), version: z.int().min(1) }),
    z.object({ kind: z.literal("emit"), event: eventToSendSchema }),
  ]),
);
export type Effect = z.infer<typeof effectSchema>;

/** Pending effects of version 0.1 have `tell` for `emit`, and the events of that version. */
function liftOldEffect(effect: unknown): unknown {
  if (!isRecord(effect) || effect["kind"] !== "tell") return effect;
  return { ...effect, kind: "emit", event: liftEvent(effect["event"]) };
}
