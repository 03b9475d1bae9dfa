import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient, FeatureSummary } from "./api-client.ts";
import { formatProgress, openProgress } from "./progress.ts";

const EVERY_MS = 300;
const ENDED = new Set(["done", "failed", "cancelled"]);

/**
 * Shows features until all have ended (a held one waits for a person and counts as ended here). Gives back how
 * they stand then.
 */
export async function watchFeatures(
  client: ApiClient,
  ids: readonly string[],
  out: NodeJS.WriteStream,
  signal?: AbortSignal,
): Promise<FeatureSummary[]> {
  const progress = openProgress(out);
  for (;;) {
    const all = await client.features();
    const mine = ids.flatMap((id) => all.find((feature) => feature.id === id) ?? []);
    progress.show(formatProgress(mine, await client.status()));
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
