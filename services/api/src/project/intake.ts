import { setTimeout as sleep } from "node:timers/promises";
import { asFault, Fault, type DomainEvent, type Waiting } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import type { QueueConnection } from "@agentswarm/queue";
import type { EventArchive } from "./event-archive.ts";
import { projectBatch } from "./project-batch.ts";
import { isCounted, type ViewStore } from "./view-store.ts";

/** Takes events in: archive first, then event stream and views together. */
export interface Intake {
  /**
   * Resolves once the event is in archive, stream and views. While the disk or Redis is full, or the views are rebuilt, it
   * waits, so that events keep their order. Throws a retryable Fault when `signal` is aborted meanwhile.
   */
  take(event: DomainEvent, signal: AbortSignal): Promise<void>;
  /** Why events wait for this api, and how many; null while they are taken in. */
  waiting(): (Waiting & { readonly waits: number }) | null;
}

interface Held {
  readonly event: DomainEvent;
  readonly signal: AbortSignal;
  readonly done: () => void;
  readonly stopped: (error: Fault) => void;
}

const MAX_BATCH = 200;
const RETRY_MS = 1_000;

/** `fill` is called when the views are not there: it makes them, or returns when somebody else has done so. */
export function openIntake(
  connection: QueueConnection,
  { store, archive, fill }: { store: ViewStore; archive: EventArchive; fill: () => Promise<unknown> },
): Intake {
  const held: Held[] = [];
  let stuck: (Waiting & { readonly waits: number }) | null = null;
  let running = false;

  /** False when the batch has to be tried again. */
  const absorb = async (events: readonly DomainEvent[], archived: Set<string>): Promise<boolean> => {
    const seen = await store.findSeen(events.filter(isCounted));
    const fresh = [...new Map(events.map((event) => [event.id, event])).values()].filter(
      ({ id }) => !seen.has(id),
    );
    if (fresh.length === 0) return true;
    const toArchive = fresh.filter((event) => isCounted(event) && !archived.has(event.id));
    await archive.append(toArchive);
    for (const { id } of toArchive) archived.add(id);
    failpoint("api.archived");
    const changes = projectBatch(await store.load(fresh), fresh, (cause, { type, id }) =>
      connection.report(new Error(`event ${id} (${type}) could not be projected`, { cause })),
    );
    const committed = await store.commit(changes, fresh);
    failpoint("api.committed");
    if (committed === "empty") await fill();
    if (committed === "rebuilding") await sleep(RETRY_MS);
    return committed === "done";
  };

  /** Tries a batch until it is taken in or all of it was called off. */
  const takeIn = async (batch: readonly Held[]): Promise<void> => {
    const archived = new Set<string>();
    let open = batch;
    while (open.length > 0) {
      try {
        if (
          await absorb(
            open.map(({ event }) => event),
            archived,
          )
        ) {
          stuck = null;
          for (const { done } of open) done();
          return;
        }
      } catch (error) {
        connection.report(error);
        const { message, source } = asFault(error);
        // The time of the event that waits longest is Redis time, which a full or silent Redis may not tell now.
        const since = stuck?.since ?? open[0]?.event.at ?? 0;
        stuck = { reason: message, source, service: "api", since, waits: open.length + held.length };
        await sleep(RETRY_MS);
      }
      for (const { signal, stopped } of open) {
        if (signal.aborted) stopped(new Fault("internal", "the service stops", { retryable: true }));
      }
      open = open.filter(({ signal }) => !signal.aborted);
    }
  };

  const run = async () => {
    running = true;
    while (held.length > 0) await takeIn(held.splice(0, MAX_BATCH));
    running = false;
  };

  return {
    take(event, signal) {
      return new Promise((done, stopped) => {
        held.push({ event, signal, done, stopped });
        if (!running) void run();
      });
    },
    waiting: () => stuck,
  };
}
