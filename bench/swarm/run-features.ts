import { openClient } from "@agentswarm/client";
import type { DomainEvent } from "@agentswarm/contracts";
import { openEventLog, type QueueConnection } from "@agentswarm/queue";
import type { Recording } from "./record.ts";

const ENDED = new Set(["done", "failed", "cancelled"]);

/** Submits features. Resolves with all events since then when all features have ended. Throws when one is not done. */
export async function runFeatures(
  apiUrl: string,
  connection: QueueConnection,
  recordings: readonly Recording[],
): Promise<DomainEvent[]> {
  const log = openEventLog(connection);
  const from = await log.lastId();
  const client = openClient({ url: apiUrl });
  const waitingFor = new Set<string>();
  for (const { feature } of recordings) waitingFor.add((await client.submitFeature({ body: feature })).id);

  const events: DomainEvent[] = [];
  const over = new AbortController();
  for await (const { event } of log.follow(from, over.signal)) {
    events.push(event);
    if (event.type !== "feature.changed" || event.featureId === undefined) continue;
    const { status, reason } = event.data;
    if (!ENDED.has(status) || !waitingFor.delete(event.featureId)) continue;
    if (status !== "done") throw new Error(`${event.featureId} is ${status}: ${reason}`);
    if (waitingFor.size === 0) over.abort();
  }
  return events;
}
