import { isEventOf, type DomainEvent, type EventType } from "@agentswarm/contracts";
import { median, percentile } from "../landing/measure.ts";

export interface Spread {
  readonly p50: number;
  readonly p99: number;
}

export interface Figures {
  readonly attempts: number;
  readonly landed: number;
  /** From the first sent task to the last landing. */
  readonly verifiedPerHour: number;
  /** From a sent task until its loaded agent has received it. */
  readonly sentToReadyMs: Spread;
  /** From a sent task until its agent's first request to the model. */
  readonly sentToWorkMs: Spread;
  /** From an attempt's end until its commits are on the trunk. */
  readonly doneToLandedMs: Spread;
  /** The peak memory of an attempt's sandbox; the median of all attempts. */
  readonly rssPerAttemptMiB: number;
}

const HOUR_MS = 3_600_000;
const MIB = 1024 ** 2;

/** Computes the figures of one run from its events. */
export function figuresOf(events: readonly DomainEvent[]): Figures {
  const of = <T extends EventType>(type: T) => events.filter(isEventOf(type));
  const [ended, landed, sent] = [of("attempt.ended"), of("landing.landed"), of("task.sent")];
  const data = ended.map((event) => event.data);
  const landedAt = new Map(landed.map((event) => [`${event.taskId}/${event.attempt}`, event.at]));
  const waits = ended.flatMap((event) => {
    const at = landedAt.get(`${event.taskId}/${event.attempt}`);
    return at === undefined ? [] : [at - event.at];
  });
  const from = Math.min(...sent.map((event) => event.at));
  const to = Math.max(...landed.map((event) => event.at));
  const peaks = data.flatMap((one) => one.sandbox?.memoryPeakBytes ?? []);
  return {
    attempts: ended.length,
    landed: landed.length,
    verifiedPerHour: Math.round((landed.length * HOUR_MS) / (to - from)),
    sentToReadyMs: spread(data.flatMap((one) => one.sentToReadyMs ?? [])),
    sentToWorkMs: spread(data.flatMap((one) => one.sentToWorkMs ?? [])),
    doneToLandedMs: spread(waits),
    rssPerAttemptMiB: Math.round(median(peaks) / MIB),
  };
}

function spread(ms: readonly number[]): Spread {
  return { p50: Math.round(median(ms)), p99: Math.round(percentile(ms, 0.99)) };
}
