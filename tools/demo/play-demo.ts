import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { watchFeatures } from "@agentswarm/cli";
import type { SwarmClient } from "@agentswarm/client";
import { Fault, TRUNK_HEALTH, type FeatureInput } from "@agentswarm/contracts";
import { summarise, type Summary } from "./summary.ts";

/** Reads the value of `--features`. Throws Fault `config.invalid` for anything but a whole number of at least 1. */
export function parseFeatureCount(text: string | undefined): number {
  const count = Number(text ?? Infinity);
  if (text === undefined || (Number.isInteger(count) && count >= 1)) return count;
  throw new Fault("config.invalid", `--features takes a whole number of at least 1, not "${text}"`);
}

/**
 * Submits the first `count` of the demo's features to a running swarm, shows their progress until they end, and returns
 * the summary.
 */
export async function playDemo(
  client: SwarmClient,
  out: NodeJS.WriteStream,
  count: number,
): Promise<Summary> {
  const inputs = JSON.parse(
    await readFile(join(import.meta.dirname, "features.json"), "utf8"),
  ) as FeatureInput[];
  const startedAt = performance.now();
  const ids: string[] = [];
  // The idempotency keys make a demo that is started again find its own features.
  for (const [nth, body] of inputs.slice(0, count).entries()) {
    const headers = { "idempotency-key": `demo-${nth}` };
    ids.push((await client.submitFeature({ body, headers })).id);
  }
  await watchFeatures(client, ids, out);
  const durationMs = performance.now() - startedAt;
  const features = await Promise.all(ids.map((id) => client.getFeature({ params: { id } })));
  const health = await client.getFeature({ params: { id: TRUNK_HEALTH } }).catch(() => null);
  return summarise(features, health, await client.getStatus(), durationMs);
}

/** Formats a summary for people. */
export function describeSummary(summary: Summary, ok: boolean): string {
  const { features, landed, durationMs, landingsPerHour, conflicts, fixes, green } = summary;
  const all = features.done + features.failed;
  return `${ok ? "Done" : "Not done"}: ${features.done} of ${all} features, ${landed} landings in ${(durationMs / 1_000).toFixed(1)} s (${landingsPerHour} an hour),
${conflicts} conflicts resolved, ${fixes} fixes of a red trunk, green ${green ? "is the trunk" : "is NOT the trunk"}.`;
}
