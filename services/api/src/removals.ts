import type { QueueConnection } from "@agentswarm/queue";
import type { Removal } from "@agentswarm/service";
import type { Settings } from "./config.ts";
import { forgetFeatures } from "./project/forget-features.ts";
import type { ViewStore } from "./project/view-store.ts";
import { removeOldEvents } from "./remove-old-events.ts";

const DAY_MS = 86_400_000;
const MEGABYTE = 1_000_000;

/** What the api keeps for a time. */
export function removals(
  connection: QueueConnection,
  { views, archiveDir, settings }: { views: ViewStore; archiveDir: string; settings: Settings },
): Removal[] {
  const daysAgo = async (days: number) => (await connection.now()) - days * DAY_MS;
  return [
    {
      name: "the archive of events",
      async remove() {
        const before = await daysAgo(settings.EVENT_ARCHIVE_DAYS);
        return removeOldEvents(archiveDir, { before, bytes: settings.EVENT_ARCHIVE_MB * MEGABYTE });
      },
    },
    {
      name: "views of features and tasks",
      remove: async (signal) => forgetFeatures(views, await daysAgo(settings.VIEW_DAYS), signal),
    },
  ];
}
