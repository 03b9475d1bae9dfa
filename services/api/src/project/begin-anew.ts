import {
  featureSubmissionSchema,
  isTrunkHealth,
  jobId,
  type FeatureStatus,
  type FeatureSubmission,
} from "@agentswarm/contracts";
import type { Sender } from "@agentswarm/queue";
import type { DocumentChange } from "./project-batch.ts";
import { placeOf } from "./project-decision.ts";
import { decisionsOf, pageOfFeatures, tasksOf } from "./read-indexes.ts";
import type { ViewStore } from "./view-store.ts";
import { FEATURE_STATUSES, SEEN_BUCKETS } from "./view-keys.ts";
import type { DecisionView, FeatureView } from "./views.ts";

const ENDED: ReadonlySet<FeatureStatus> = new Set(["done", "failed", "cancelled"]);
const PAGE = 200;
const WIPED = "Redis was wiped, and with it the plan that this was about; the feature is planned again";

/**
 * Prepares views for events that come after a wipe of Redis, which was noticed at `at`. The ledgers are gone too: their
 * versions, and with them the ids of events, begin anew. Without this, events of a feature that is planned again would
 * count as old, and a decision that nobody can answer any more would stay open.
 */
export async function beginAnew(views: ViewStore, at: number): Promise<void> {
  await views.redis.unlink(
    ...Array.from({ length: SEEN_BUCKETS }, (_, bucket) => views.keys.seen(bucket)).flat(),
  );
  for await (const { id } of unfinishedFeatures(views)) {
    await forgetVersion(views, "features", id);
    for (const task of await tasksOf(views, id)) await forgetVersion(views, "tasks", task.id);
    for (const decisionId of await decisionsOf(views, { featureId: id }))
      await withdrawDecision(views, decisionId, at);
  }
}

async function forgetVersion(views: ViewStore, kind: "features" | "tasks", id: string): Promise<void> {
  const { value, version } = await views.find(kind, id);
  if (value === null) return;
  const changed = { kind, id, version, value: { ...value, ledgerVersion: 0 } } as DocumentChange;
  await views.commit({ documents: [changed], indexes: [] }, []);
}

async function withdrawDecision(views: ViewStore, id: string, at: number): Promise<void> {
  const { value, version } = await views.find("decisions", id);
  if (value === null) return;
  const ended: DecisionView = {
    ...value,
    ...(value.state === "open" ? { state: "withdrawn", endedAt: at, endReason: WIPED } : {}),
    ledgerVersion: 0,
  };
  await views.commit(
    {
      documents: [{ kind: "decisions", id, version, value: ended }],
      indexes: [{ kind: "decision", from: placeOf(value), to: placeOf(ended) }],
    },
    [],
  );
}

/**
 * Sends the features that had not ended to the planner once more. One whose ledger is still there is not planned again.
 */
export async function sendUnfinished(views: ViewStore, sender: Pick<Sender, "send">): Promise<FeatureView[]> {
  const sent: FeatureView[] = [];
  for await (const feature of unfinishedFeatures(views)) {
    // The planner makes the standing feature of a trunk by itself.
    if (isTrunkHealth(feature.id)) continue;
    const message = { kind: "feature", feature: submissionOf(feature) } as const;
    await sender.send("plan", message, { jobId: jobId.feature(feature.id) });
    sent.push(feature);
  }
  return sent;
}

function submissionOf(feature: FeatureView): FeatureSubmission {
  const names = Object.keys(featureSubmissionSchema.shape);
  return featureSubmissionSchema.parse(
    Object.fromEntries(Object.entries(feature).filter(([name]) => names.includes(name))),
  );
}

async function* unfinishedFeatures(views: ViewStore): AsyncGenerator<FeatureView> {
  for (const status of FEATURE_STATUSES.filter((one) => !ENDED.has(one))) {
    let cursor: string | undefined;
    do {
      const page = await pageOfFeatures(views, status, cursor, PAGE);
      yield* await views.readMany("features", page.ids);
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }
}
