import { setTimeout as sleep } from "node:timers/promises";
import { isTransient, type SwarmClient } from "@agentswarm/client";
import type { FeatureSummary, SwarmStatus } from "@agentswarm/contracts";
import { formatProgress, openProgress } from "./progress.ts";

const EVERY_MS = 300;
/** Features take hours; watching survives a restart of the api. */
const OUTAGE_MS = 60_000;
const ENDED = new Set(["done", "failed", "cancelled"]);

/**
 * Shows features until all have ended; a held feature waits for a person and counts as ended here. Resolves with the
 * features as they are then. Throws when the api has not answered for a minute.
 */
export async function watchFeatures(
  client: SwarmClient,
  ids: readonly string[],
  out: NodeJS.WriteStream,
  signal?: AbortSignal,
): Promise<FeatureSummary[]> {
  const progress = openProgress(out);
  let answeredAt = performance.now();
  for (;;) {
    let answers: readonly [FeatureSummary[], SwarmStatus];
    try {
      answers = [await client.allFeatures(), await client.getStatus()];
    } catch (error) {
      if (!isTransient(error) || performance.now() - answeredAt > OUTAGE_MS) throw error;
      await sleep(EVERY_MS);
      continue;
    }
    answeredAt = performance.now();
    const [all, status] = answers;
    const watched = ids.flatMap((id) => all.find((feature) => feature.id === id) ?? []);
    progress.show(formatProgress(watched, status));
    const ended =
      watched.length === ids.length &&
      watched.every((feature) => ENDED.has(feature.status) || feature.status === "held");
    if (ended || signal?.aborted) {
      progress.end();
      return watched;
    }
    await sleep(EVERY_MS);
  }
}
