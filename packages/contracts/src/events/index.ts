import { z } from "zod";
import { clippedText } from "../bounded.ts";
import { parseJobId } from "../job-ids.ts";
import { attemptEnded, attemptProgressed, attemptStarted } from "./attempt.ts";
import { backendClosed, backendOpened } from "./backend.ts";
import { budgetReached } from "./budget.ts";
import {
  answerRefused,
  decisionAnswered,
  decisionAsked,
  decisionReminded,
  decisionTimedOut,
  decisionWithdrawn,
} from "./decision.ts";
import { featureChanged, featureSubmitted } from "./feature.ts";
import { gateFlaked, landingConflicted, landingHeld, landingLanded, landingRejected } from "./landing.ts";
import { messageDeadLettered } from "./message.ts";
import { modelUsed } from "./model.ts";
import { noteHeard, noteRefused, noteSaid } from "./note.ts";
import { paused, resumed } from "./pause.ts";
import { personActed } from "./person.ts";
import { planMade, planRejected } from "./plan.ts";
import { sweepFinished, trunkGreen, trunkRewritten } from "./sweep.ts";
import { taskChanged, taskPlanned, taskSent } from "./task.ts";
import { featureWaiting, taskWaiting, trunkWaiting } from "./waiting.ts";

/**
 * What a service says about something that happened, before the sender stamps it. `id` is derived from what the event
 * says, so that the same event sent twice is one event. Types are in the past tense; each noun has its file here.
 */
export const eventToSendSchema = z.discriminatedUnion("type", [
  featureSubmitted,
  featureChanged,
  personActed,
  planMade,
  planRejected,
  taskPlanned,
  taskSent,
  taskChanged,
  attemptStarted,
  attemptProgressed,
  attemptEnded,
  landingLanded,
  landingConflicted,
  landingRejected,
  landingHeld,
  gateFlaked,
  sweepFinished,
  trunkGreen,
  trunkRewritten,
  modelUsed,
  budgetReached,
  backendOpened,
  backendClosed,
  messageDeadLettered,
  taskWaiting,
  featureWaiting,
  trunkWaiting,
  decisionAsked,
  decisionAnswered,
  decisionReminded,
  decisionTimedOut,
  decisionWithdrawn,
  answerRefused,
  noteSaid,
  noteRefused,
  noteHeard,
  paused,
  resumed,
]);
export type EventToSend = z.infer<typeof eventToSendSchema>;

/** What the sender adds. */
const stampSchema = z.object({
  at: z.int().describe("Milliseconds since 1970, Redis time"),
  actor: clippedText(200).describe("The service that sent it"),
  traceId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional()
    .describe("W3C trace id of the request or schedule that led to it"),
});

/** What happened, for people. The read model of the api and every cost figure are rebuilt from these alone. */
export const domainEventSchema = eventToSendSchema.and(stampSchema);
export type DomainEvent = z.infer<typeof domainEventSchema>;
export type EventType = DomainEvent["type"];
/** The event of one type. */
export type EventOf<T extends EventType> = Extract<DomainEvent, { type: T }>;
/** The data of one event type. */
export type EventData<T extends EventType> = EventOf<T>["data"];

/** A filter for the events of one type. */
export function isEventOf<T extends EventType>(type: T) {
  return <E extends { readonly type: EventType }>(event: E): event is Extract<E, { type: T }> =>
    event.type === type;
}

/**
 * Every event type.
 * @testonly
 */
export const EVENT_TYPES: readonly EventType[] = eventToSendSchema.options.map(
  (option) => option.shape.type.value,
);

/** The ids that an event names, whatever its type. */
export interface EventSubject {
  readonly repoId: string | undefined;
  readonly featureId: string | undefined;
  readonly taskId: string | undefined;
  readonly attempt: number | undefined;
  /** Of planner events only: orders them. */
  readonly ledgerVersion: number | undefined;
}

export { liftEvent } from "./lift-event.ts";

/** The feature whose submission became a dead letter. */
function lostFeature(event: EventToSend): string | undefined {
  if (event.type !== "message.dead-lettered" || event.data.queue !== "plan") return undefined;
  const parsed = parseJobId(event.data.jobId);
  return parsed?.kind === "feature" ? parsed.featureId : undefined;
}

/** What an event is about. */
export function subjectOf(event: EventToSend): EventSubject {
  return {
    repoId: "repoId" in event ? event.repoId : undefined,
    featureId: "featureId" in event ? event.featureId : lostFeature(event),
    taskId: "taskId" in event ? event.taskId : undefined,
    attempt: "attempt" in event ? event.attempt : undefined,
    ledgerVersion: "ledgerVersion" in event ? event.ledgerVersion : undefined,
  };
}
