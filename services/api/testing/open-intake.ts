import { join } from "node:path";
import type { DomainEvent } from "@agentswarm/contracts";
import { createSender, openBudgets, type QueueConnection } from "@agentswarm/queue";
import { openEventArchive, type EventArchive } from "../src/project/event-archive.ts";
import { fillViews } from "../src/project/fill-views.ts";
import { openIntake, type Intake } from "../src/project/intake.ts";
import { openReadModel, type ReadModel } from "../src/project/read-model.ts";
import { openViewStore, type ViewStore } from "../src/project/view-store.ts";

/** What the api does with events, in this process. */
export interface TestIntake extends Pick<Intake, "waiting">, Disposable {
  readonly archive: EventArchive;
  readonly views: ViewStore;
  readonly model: ReadModel;
  take(event: DomainEvent, signal?: AbortSignal): Promise<void>;
  /** Makes the views when there are none, as the api does at its start. */
  fill(): ReturnType<typeof fillViews>;
}

/** `home`: the folder of the archive, as SWARM_HOME. */
export async function openTestIntake(connection: QueueConnection, home: string): Promise<TestIntake> {
  const archive = openEventArchive(join(home, "artifacts", "events"));
  const views = openViewStore(connection);
  const sender = createSender(connection, "api");
  const budgets = openBudgets(connection, {});
  const fill = () => fillViews(connection, archive, sender);
  await fill();
  const intake = openIntake(connection, { store: views, archive, fill });
  const { signal } = new AbortController();
  return {
    archive,
    views,
    model: openReadModel(connection, budgets, views),
    take: (event, given = signal) => intake.take(event, given),
    waiting: intake.waiting,
    fill,
    [Symbol.dispose]: () => budgets[Symbol.dispose](),
  };
}
