import type { Store } from "@agentswarm/git";
import type { SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";

const HOUR_MS = 3_600_000;
const KEPT_SECONDS = 7 * 24 * 3_600;

/** Ends sandboxes whose dispatcher is dead. They are never taken over: their attempt is run again. */
export async function reapOrphans(provider: SandboxProvider, log: Logger): Promise<void> {
  for (const { id, labels, orphaned } of await provider.list()) {
    if (!orphaned) continue;
    log.info({ sandbox: id, task: labels.task, attempt: labels.attempt }, "ending a sandbox left behind");
    await provider.terminate(id);
  }
}

/** Forgets attempts a week after they were made. */
export function keepStoreSmall(store: Store, log: Logger): Disposable {
  const sweep = async () => {
    const oldest = Date.now() / 1_000 - KEPT_SECONDS;
    for (const { taskId, attempt, at } of await store.listAll()) {
      if (at < oldest) await store.remove(taskId, attempt);
    }
  };
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => log.error({ err: error }, "old attempts could not be forgotten"));
  }, HOUR_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
