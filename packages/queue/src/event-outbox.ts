import { setTimeout as sleep } from "node:timers/promises";
import { asFault } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";

const KEPT = 10_000;
const RETRY_EVERY_MS = 1_000;

/**
 * Sends events without failing the work that emits them. Events that Redis refuses wait here, in order, and are retried
 * in the background. Event ids are derived, so a message that is handled again after a crash emits the events that were
 * lost with this process. Events that can never be sent, or that overflow the outbox, are reported and dropped.
 */
export function openOutbox<E>(
  connection: QueueConnection,
  send: (event: E) => Promise<void>,
): (event: E) => Promise<void> {
  const waiting: E[] = [];
  let flushing = false;

  /** False when the event has to be retried. */
  const deliver = async (event: E): Promise<boolean> => {
    try {
      await send(event);
      return true;
    } catch (error) {
      const fault = asFault(error);
      connection.report(fault);
      return !fault.retryable;
    }
  };

  const flush = async () => {
    if (flushing) return;
    flushing = true;
    while (!connection.closed.aborted) {
      const [first] = waiting;
      if (first === undefined) break;
      if (await deliver(first)) waiting.shift();
      else
        await sleep(RETRY_EVERY_MS, undefined, { ref: false, signal: connection.closed }).catch(
          () => undefined,
        );
    }
    flushing = false;
  };

  return async (event) => {
    if (waiting.length === 0 && (await deliver(event))) return;
    waiting.push(event);
    if (waiting.length > KEPT) {
      waiting.shift();
      connection.report(
        new Error(`an event was dropped: Redis has refused events for so long that ${KEPT} of them wait`),
      );
    }
    void flush();
  };
}
