import { setTimeout as sleep } from "node:timers/promises";
import { passes, type ApiClient, type FeatureSummary, type SwarmStatus } from "./api-client.ts";
import { formatProgress, openProgress } from "./progress.ts";

const EVERY_MS = 300;
/** Features take hours; an api that starts again in between is no reason to call them failed. */
const PATIENCE_MS = 60_000;
const ENDED = new Set(["done", "failed", "cancelled"]);

/**
 * Shows features until all have ended (a held one waits for a person and counts as ended here). Gives back how
 * they stand then. Throws when the api has not answered for a minute.
 */
export async function watchFeatures(
  client: ApiClient,
  ids: readonly string[],
  out: NodeJS.WriteStream,
  signal?: AbortSignal,
): Promise<FeatureSummary[]> {
  const progress = openProgress(out);
  let answeredAt = Date.now();
  for (;;) {
    let asked: readonly [FeatureSummary[], SwarmStatus];
    try {
      asked = [await client.features(), await client.status()];
    } catch (error) {
      if (!passes(error) || Date.now() - answeredAt > PATIENCE_MS) throw error;
      await sleep(EVERY_MS);
      continue;
    }
    answeredAt = Date.now();
    const [all, status] = asked;
    const mine = ids.flatMap((id) => all.find((feature) => feature.id === id) ?? []);
    progress.show(formatProgress(mine, status));
    const ended =
      mine.length === ids.length &&
      mine.every((feature) => ENDED.has(feature.status) || feature.status === "held");
    if (ended || signal?.aborted) {
      progress.end();
      return mine;
    }
    await sleep(EVERY_MS);
  }
}
