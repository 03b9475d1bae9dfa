import type { QueueConnection } from "@agentswarm/queue";
import { viewKeys } from "../src/project/view-keys.ts";

/** Every document and index of the views as plain data, without the documents' versions. */
export async function readViews({ redis, ...connection }: QueueConnection): Promise<Record<string, unknown>> {
  const keys = viewKeys({ redis, ...connection } as QueueConnection, "view");
  const documents = await Promise.all(
    Object.entries(keys.documents).map(async ([kind, key]) => {
      const texts = Object.entries(await redis.hgetall(key)).map(
        ([id, text]) => [id, JSON.parse(text.slice(text.indexOf("\n") + 1)) as unknown] as const,
      );
      return [kind, Object.fromEntries(texts)] as const;
    }),
  );
  const sorted = (key: string) => redis.zrange(key, "0", "-1", "WITHSCORES");
  return {
    ...Object.fromEntries(documents),
    all: await sorted(keys.index("all")),
    done: await sorted(keys.index("done")),
    building: await sorted(keys.index("building")),
    featureTasks: await sorted(keys.featureTasks),
    landed: await sorted(keys.landed),
    hot: await sorted(keys.hot),
    live: await redis.hgetall(keys.live),
    openDecisions: await sorted(keys.decisions("open")),
    withdrawnDecisions: await sorted(keys.decisions("withdrawn")),
    openQuestions: await sorted(keys.openDecisions("question")),
    featureDecisions: await sorted(keys.featureDecisions),
    taskDecisions: await sorted(keys.taskDecisions),
  };
}
