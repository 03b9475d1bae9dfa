import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { watchFeatures } from "@agentswarm/cli";
import type { SwarmClient } from "@agentswarm/client";
import { TRUNK_HEALTH, type FeatureInput } from "@agentswarm/contracts";
import { summarise, type Summary } from "./summary.ts";

/** Submits the demo's features to a running swarm, shows what becomes of them until they end, and adds it up. */
export async function playDemo(client: SwarmClient, out: NodeJS.WriteStream): Promise<Summary> {
  const inputs = JSON.parse(
    await readFile(join(import.meta.dirname, "features.json"), "utf8"),
  ) as FeatureInput[];
  const startedAt = performance.now();
  const ids: string[] = [];
  // A demo that is begun again finds its own features.
  for (const [nth, body] of inputs.entries()) {
    const headers = { "idempotency-key": `demo-${nth}` };
    ids.push((await client.submitFeature({ body, headers })).id);
  }
  await watchFeatures(client, ids, out);
  const durationMs = performance.now() - startedAt;
  const features = await Promise.all(ids.map((id) => client.getFeature({ params: { id } })));
  const health = await client.getFeature({ params: { id: TRUNK_HEALTH } }).catch(() => null);
  return summarise(features, health, await client.getStatus(), durationMs);
}

/** What came of it, for people. */
export function describeSummary(summary: Summary, ok: boolean): string {
  const { features, landed, durationMs, landingsPerHour, conflicts, fixes, green } = summary;
  const all = features.done + features.failed;
  return `${ok ? "Done" : "Not done"}: ${features.done} of ${all} features, ${landed} landings in ${(durationMs / 1_000).toFixed(1)} s (${landingsPerHour} an hour),
${conflicts} conflicts settled, ${fixes} fixes of a red trunk, green ${green ? "is the trunk" : "is NOT the trunk"}.`;
}
