import type { QueueConnection, Sender } from "@agentswarm/queue";
import type { RebuildReport } from "@agentswarm/contracts";
import { beginAnew, sendUnfinished } from "./begin-anew.ts";
import type { EventArchive } from "./event-archive.ts";
import { dropOldViews, hasOldViews, liftOldViews } from "./lift-old-views.ts";
import { rebuildFromArchive, replaceViews } from "./rebuild-views.ts";
import { viewKeys } from "./view-keys.ts";

/** Why and how the views were made. */
export type Filled =
  | { kind: "present" | "new" | "lifted" | "busy" }
  | { kind: "wiped"; report: RebuildReport };

/**
 * Makes the views when Redis has none: from the documents of an older version, or from the archive after a wipe of
 * Redis. After a wipe the features that had not ended are sent to the planner again, because their plans are lost.
 * `busy`: somebody else does it now.
 */
export async function fillViews(
  connection: QueueConnection,
  archive: EventArchive,
  sender: Pick<Sender, "send">,
): Promise<Filled> {
  const { redis } = connection;
  if ((await redis.exists(viewKeys(connection, "view").filled)) === 1) return { kind: "present" };
  if (await hasOldViews(connection)) {
    const lifted = await replaceViews(connection, async (views, renew) => {
      await liftOldViews(connection, views, renew);
      return true;
    });
    if (lifted === null) return { kind: "busy" };
    await dropOldViews(connection);
    return { kind: "lifted" };
  }
  if ((await archive.days()).length === 0) {
    return (await replaceViews(connection, async () => true)) === null ? { kind: "busy" } : { kind: "new" };
  }
  const report = await rebuildFromArchive(connection, archive, async (views) => {
    const now = await connection.now();
    await archive.markWipe(now);
    await beginAnew(views, now);
    return sendUnfinished(views, sender);
  });
  return report === null ? { kind: "busy" } : { kind: "wiped", report };
}
