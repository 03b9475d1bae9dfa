import type { FeatureDetail } from "@agentswarm/contracts";
import type { LocalSwarm } from "../../tools/local/start-swarm.ts";
import { waitUntil } from "./wait-until.ts";

const WITHIN_MS = 120_000;

/** Submits a feature by REST and waits for its end, whatever that is. */
export async function runFeature(
  swarm: LocalSwarm,
  feature: { title: string; acceptance?: string[] },
): Promise<FeatureDetail> {
  const submitted = await fetch(`${swarm.apiUrl}/v1/features`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(feature),
  });
  const { id } = (await submitted.json()) as { id: string };
  let last: FeatureDetail | undefined;
  return waitUntil(
    "the feature's end",
    WITHIN_MS,
    async () => {
      last = (await (await fetch(`${swarm.apiUrl}/v1/features/${id}`)).json()) as FeatureDetail;
      return ["done", "failed", "cancelled"].includes(last.status) ? last : null;
    },
    () => `It is ${JSON.stringify(last)}`,
  );
}
