import { z } from "zod";
import { DEFAULT_REPO } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import { costTableSchema } from "./cost-table.ts";
import { liveAttempt } from "./live-attempt.ts";
import { SWARM, type DocumentChange, type IndexChange } from "./project-batch.ts";
import type { ViewStore } from "./view-store.ts";
import { featureViewSchema, repoViewSchema, taskViewSchema, totalsSchema } from "./views.ts";

const OLD = ["view-features", "view-tasks", "view-swarm"] as const;

/** The swarm's one document until November 2026; that of schema version 1 has one trunk. */
const oldSwarmSchema = z.looseObject({
  repos: z.record(z.string(), repoViewSchema.extend({ hotFiles: z.record(z.string(), z.int()) })).optional(),
  landings: z.int(),
  landedAt: z.array(z.int()).default([]),
  costs: costTableSchema.default({}),
  budgetReached: totalsSchema.shape.budgetReached,
});

const oldFeatureSchema = featureViewSchema.extend({ taskIds: z.array(z.string()) });

/** Whether there are views as the api kept them until November 2026. */
export async function hasOldViews({ redis, key }: QueueConnection): Promise<boolean> {
  return (await redis.exists(...OLD.map((name) => key("documents", name)))) > 0;
}

/** Moves the old documents into new views. Their indexes are made here; the event ids that they remembered are not kept. */
export async function liftOldViews(
  connection: QueueConnection,
  views: ViewStore,
  renew: () => Promise<void>,
): Promise<void> {
  const features = await readOld(connection, "view-features", oldFeatureSchema);
  for (const [id, { taskIds: _, ...value }] of features) {
    await renew();
    const { createdAt, status } = value;
    await put(views, { kind: "features", id, version: 0, value }, [
      { kind: "feature", id, createdAt, from: null, to: status },
    ]);
  }
  for (const [id, value] of await readOld(connection, "view-tasks", taskViewSchema)) {
    await renew();
    const attempt = liveAttempt(value);
    const at = value.attempts[0]?.startedAt ?? 0;
    await put(views, { kind: "tasks", id, version: 0, value }, [
      { kind: "task", id, featureId: value.featureId, at },
      ...(attempt === null ? [] : [{ kind: "live", taskId: id, attempt } as const]),
    ]);
  }
  await liftSwarm(connection, views);
}

/** The documents that can be read; the others are reported and not moved. */
async function readOld<S extends z.ZodType>(
  { redis, key, report }: QueueConnection,
  namespace: string,
  schema: S,
): Promise<[id: string, value: z.infer<S>][]> {
  const texts = await redis.hgetall(key("documents", namespace));
  return Object.entries(texts).flatMap(([id, text]): [string, z.infer<S>][] => {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return [[id, parsed.data]];
    report(new Error(`document ${namespace}/${id} cannot be read and is not moved: ${parsed.error.message}`));
    return [];
  });
}

/** Removes the old documents once the new views are in place. */
export async function dropOldViews({ redis, key }: QueueConnection): Promise<void> {
  await redis.unlink(...OLD.flatMap((name) => [key("documents", name), key("documents", name, "versions")]));
}

async function liftSwarm(connection: QueueConnection, views: ViewStore): Promise<void> {
  const [found] = await readOld(connection, "view-swarm", oldSwarmSchema);
  if (found === undefined) return;
  const { repos, landings, landedAt, costs, budgetReached, ...rest } = found[1];
  const one = repoViewSchema.extend({ hotFiles: z.record(z.string(), z.int()) }).safeParse(rest);
  const known = repos ?? (one.success ? { [DEFAULT_REPO]: one.data } : {});
  await put(
    views,
    { kind: "swarm", id: SWARM, version: 0, value: { landings, costs, budgetReached } },
    landedAt.map((at, nth): IndexChange => ({ kind: "landed", eventId: `old-${nth}`, at })),
  );
  for (const [repoId, { hotFiles, ...value }] of Object.entries(known)) {
    const conflicts = Object.entries(hotFiles).flatMap(([path, count]) =>
      Array.from({ length: count }, (): IndexChange => ({ kind: "conflict", repoId, path })),
    );
    await put(views, { kind: "repos", id: repoId, version: 0, value }, conflicts);
  }
}

async function put(
  views: ViewStore,
  document: DocumentChange,
  indexes: readonly IndexChange[],
): Promise<void> {
  await views.commit({ documents: [document], indexes }, []);
}
