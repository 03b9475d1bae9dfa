import type { RebuildReport } from "@agentswarm/contracts";
import type { QueueConnection, Sender } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";
import type { EventArchive } from "./project/event-archive.ts";
import { fillViews } from "./project/fill-views.ts";

const CHECK_EVERY_MS = 10_000;

/** Makes the views whenever Redis has none: at start, and after a wipe while the api runs. */
export interface ViewKeeper extends Disposable {
  /** Resolves once the views are there, or somebody else makes them. Throws when they cannot be made. */
  fill(): Promise<void>;
}

interface Parts {
  readonly archive: EventArchive;
  readonly sender: Pick<Sender, "send">;
  readonly log: Logger;
  readonly onRebuilt: (report: RebuildReport) => Promise<void>;
}

export function keepViews(
  connection: QueueConnection,
  { archive, sender, log, onRebuilt }: Parts,
): ViewKeeper {
  const fill = async () => {
    const filled = await fillViews(connection, archive, sender);
    if (filled.kind === "lifted") log.info("the views of an older version were moved into this version's");
    if (filled.kind !== "wiped") return;
    await onRebuilt(filled.report);
    log.error(
      { report: filled.report },
      "REDIS WAS EMPTY, BUT THE EVENT ARCHIVE IS NOT: the views were made from the archive, and the features that had not ended are planned again. Budgets, queues, plans and the event stream of before are lost; restore a backup to have them",
    );
  };
  const timer = setInterval(() => void fill().catch(connection.report), CHECK_EVERY_MS);
  return { fill, [Symbol.dispose]: () => clearInterval(timer) };
}
