import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "@agentswarm/git";
import { reapOrphans, type SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";
import type { Rounds } from "./rounds.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ATTEMPTS_KEPT_MS = 7 * DAY_MS;
const BUNDLES_KEPT_MS = DAY_MS;

/** Every hour: sandboxes of dead replicas, attempts that ended a week ago, bundles that nobody asked for in a day. */
export function keepSmall(options: {
  provider: SandboxProvider;
  store: Store;
  rounds: Rounds;
  bundlesDir: string;
  now: () => Promise<number>;
  log: Logger;
}): Disposable {
  const { provider, store, rounds, bundlesDir, log } = options;
  const sweep = async () => {
    await reapOrphans(provider, (sandbox) => log.info({ sandbox }, "ending a sandbox left behind"));
    await forgetAttempts(store, rounds, await options.now());
    await forgetBundles(bundlesDir, Date.now());
  };
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => log.error({ err: error }, "leftovers could not be removed"));
  }, HOUR_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/**
 * Deletes attempts a week after they ended, by our own note of when that was: the date in a commit is its agent's
 * word. An attempt without a note is noted now.
 */
export async function forgetAttempts(store: Store, rounds: Rounds, now: number): Promise<void> {
  const known = await rounds.all();
  const noted = new Set(
    [...known.values()].flatMap(({ taskId, attempts }) => attempts.map((one) => `${taskId}.${one}`)),
  );
  for (const { taskId, attempt } of await store.listAll()) {
    if (!noted.has(`${taskId}.${attempt}`)) await rounds.opened(taskId, 0, attempt);
  }
  for (const [key, { taskId, attempts, at }] of known) {
    if (now - at < ATTEMPTS_KEPT_MS) continue;
    for (const attempt of attempts) await store.remove(taskId, attempt);
    await rounds.forget(key);
  }
}

export async function forgetBundles(dir: string, now: number): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    const file = join(dir, name);
    const touched = await stat(file).catch(() => null);
    if (touched !== null && now - Math.max(touched.mtimeMs, touched.atimeMs) > BUNDLES_KEPT_MS)
      await rm(file, { force: true });
  }
}
