import type { OpenDecisions } from "@agentswarm/contracts";
import { countOverdue } from "./read-indexes.ts";
import { DECISION_KINDS } from "./view-keys.ts";
import type { ViewStore } from "./view-store.ts";

/** How many decisions wait for a person. The cost does not depend on how many there are. `now`: Redis time. */
export async function countDecisions(views: ViewStore, now: number): Promise<OpenDecisions> {
  const { redis, keys } = views;
  const [overdue, ofKinds] = await Promise.all([
    countOverdue(views, now),
    Promise.all(
      DECISION_KINDS.map(async (kind) => {
        const key = keys.openDecisions(kind);
        const [count, [, oldest]] = await Promise.all([
          redis.zcard(key),
          redis.zrange(key, "0", "0", "WITHSCORES"),
        ]);
        return { kind, count, oldest };
      }),
    ),
  ]);
  const asked = ofKinds.flatMap(({ oldest }) => (oldest === undefined ? [] : Number(oldest)));
  return {
    open: ofKinds.reduce((sum, { count }) => sum + count, 0),
    byKind: Object.fromEntries(ofKinds.flatMap(({ kind, count }) => (count > 0 ? [[kind, count]] : []))),
    overdue,
    oldestAskedAt: asked.length === 0 ? null : Math.min(...asked),
  };
}
