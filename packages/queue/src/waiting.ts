import { z } from "zod";
import {
  newTraceparent,
  waitingSchema,
  type EventToSend,
  type Fault,
  type Waiting,
} from "@agentswarm/contracts";
import { currentTrace } from "@agentswarm/contracts/node";
import type { QueueConnection } from "./connect.ts";
import { kindOf } from "./kind-of-error.ts";
import { sendEvent } from "./send.ts";

/** What waits: a task, the planning of a feature, or the sweeps of a trunk. */
export interface WaitingSubject {
  readonly repoId: string;
  readonly featureId?: string | undefined;
  readonly taskId?: string | undefined;
}

/** What waits, by the subject's ids; read at once, because few things wait at a time. */
export interface WaitingNow {
  /** The feature itself, else one of its tasks. */
  feature(featureId: string): Waiting | null;
  task(featureId: string, taskId: string): Waiting | null;
  /** Every reason once, the one that most wait for first. */
  reasons(): (Waiting & { readonly waits: number })[];
}

/**
 * Why things do not go on. Kept in Redis beside the queues: the state of now, which expires by itself when the service
 * that retries is gone.
 */
export interface WaitingReasons {
  /**
   * Notes a fault. From the second of its kind in a row the subject shows as waiting, with the reason of the newest fault
   * of any kind, and an event says so once.
   */
  note(subject: WaitingSubject, fault: Fault): Promise<void>;
  /** Notes that the subject goes on. The same fault again, before `clear`, shows at once. */
  hide(subject: WaitingSubject): Promise<void>;
  /** Forgets the faults of a subject that has gone on. */
  clear(subject: WaitingSubject): Promise<void>;
  read(): Promise<WaitingNow>;
}

const noteSchema = waitingSchema.extend({
  kind: z.string(),
  times: z.int().min(1),
  shown: z.boolean(),
  /** Redis time of the last fault. */
  at: z.int(),
});
type Note = z.infer<typeof noteSchema>;

/** Retries come at least once a minute, so an older note belongs to a service that has ended. */
const KEPT_MS = 600_000;
const SHOWN_AFTER = 2;
const MAX_REASON_CHARS = 2_000;

export function openWaiting(connection: QueueConnection): WaitingReasons {
  const { redis } = connection;
  const key = connection.key("waiting");

  const emit = async (subject: WaitingSubject, reason: string | null, at: number) => {
    const event = eventOf(subject, reason, at);
    await sendEvent(connection, connection.service, event, currentTrace() ?? newTraceparent());
  };

  return {
    async note(subject, fault) {
      const field = fieldOf(subject);
      const at = await connection.now();
      const before = readNote(await redis.hget(key, field));
      // The rest of a message may name a file of one attempt.
      const kind = `${fault.code} ${kindOf(fault).slice(0, 40)}`;
      const isRecent = before !== null && at - before.at < KEPT_MS;
      const isSame = isRecent && before.kind === kind;
      // A wait goes on when its reason changes, for example once a backend that was tried in vain gets no more calls.
      const stillWaits = isRecent && before.shown;
      const times = isSame ? before.times + 1 : 1;
      const reason = fault.message.slice(0, MAX_REASON_CHARS);
      const { source } = fault;
      const since = isSame || stillWaits ? before.since : at;
      const shown = stillWaits || times >= SHOWN_AFTER;
      const note: Note = { reason, source, service: connection.service, since, kind, times, shown, at };
      await redis.hset(key, field, JSON.stringify(note));
      if (shown && !stillWaits) await emit(subject, reason, at);
    },
    async hide(subject) {
      const field = fieldOf(subject);
      const before = readNote(await redis.hget(key, field));
      if (before === null || !before.shown) return;
      await redis.hset(key, field, JSON.stringify({ ...before, shown: false }));
      await emit(subject, null, await connection.now());
    },
    async clear(subject) {
      const field = fieldOf(subject);
      const before = readNote(await redis.hget(key, field));
      if (before === null || (await redis.hdel(key, field)) === 0) return;
      if (before.shown) await emit(subject, null, await connection.now());
    },
    async read() {
      const [found, now] = await Promise.all([redis.hgetall(key), connection.now()]);
      const shown = new Map<string, Waiting>();
      const old: string[] = [];
      for (const [field, text] of Object.entries(found)) {
        const note = readNote(text);
        if (note === null || now - note.at >= KEPT_MS) old.push(field);
        else if (note.shown) shown.set(field, waitingSchema.parse(note));
      }
      if (old.length > 0) await redis.hdel(key, ...old);
      return waitingNow(shown);
    },
  };
}

function waitingNow(shown: ReadonlyMap<string, Waiting>): WaitingNow {
  return {
    feature(featureId) {
      const prefix = fieldOf({ repoId: "", featureId });
      for (const [field, waiting] of shown)
        if (field === prefix || field.startsWith(`${prefix}/`)) return waiting;
      return null;
    },
    task: (featureId, taskId) => shown.get(fieldOf({ repoId: "", featureId, taskId })) ?? null,
    reasons() {
      const all = Map.groupBy(shown.values(), ({ reason }) => reason);
      return [...all.values()]
        .flatMap((same) => {
          const [first] = same.toSorted((a, b) => a.since - b.since);
          return first === undefined ? [] : [{ ...first, waits: same.length }];
        })
        .toSorted((a, b) => b.waits - a.waits);
    },
  };
}

function fieldOf({ repoId, featureId, taskId }: WaitingSubject): string {
  if (featureId === undefined) return `repo/${repoId}`;
  return taskId === undefined ? `feature/${featureId}` : `feature/${featureId}/${taskId}`;
}

function eventOf(subject: WaitingSubject, reason: string | null, at: number): EventToSend {
  const { repoId, featureId, taskId } = subject;
  const id = `waiting-${fieldOf(subject).replaceAll("/", "-")}-${at}`;
  const data = { reason };
  if (featureId === undefined) return { id, type: "trunk.waiting", repoId, data };
  if (taskId === undefined) return { id, type: "feature.waiting", repoId, featureId, data };
  return { id, type: "task.waiting", repoId, featureId, taskId, data };
}

function readNote(text: string | null | undefined): Note | null {
  if (text === null || text === undefined) return null;
  try {
    return noteSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
