import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "@agentswarm/git";
import { reapOrphans, type SandboxProvider } from "@agentswarm/sandbox";
import type { Logger } from "@agentswarm/service";
import type { FinishedWork } from "./finished-work.ts";
import type { Rounds } from "./rounds.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ATTEMPTS_KEPT_MS = 7 * DAY_MS;
const BUNDLES_KEPT_MS = DAY_MS;

/**
 * Removes every hour: the sandboxes of dead dispatchers, the commits of attempts that ended a week ago, bundles that were
 * not read for a day, and old transcripts.
 */
export function removeLeftovers(options: {
  readonly provider: SandboxProvider;
  readonly stores: readonly Store[];
  readonly finished: readonly FinishedWork[];
  readonly rounds: Rounds;
  readonly bundlesDir: string;
  readonly transcriptsDir: string;
  /** TRANSCRIPT_DAYS. */
  readonly transcriptDays: number;
  readonly now: () => Promise<number>;
  readonly log: Logger;
}): Disposable {
  const { provider, stores, rounds, bundlesDir, log } = options;
  const remove = async () => {
    await reapOrphans(provider, (sandbox) => log.info({ sandbox }, "killing a leftover sandbox"));
    await removeAttempts(stores, rounds, await options.now());
    for (const finished of options.finished) await finished.removeOlder(Date.now() - ATTEMPTS_KEPT_MS);
    await removeBundles(bundlesDir, Date.now());
    await removeTranscripts(options.transcriptsDir, Date.now() - options.transcriptDays * DAY_MS);
  };
  const timer = setInterval(() => {
    remove().catch((error: unknown) => log.error({ err: error }, "leftovers could not be removed"));
  }, HOUR_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/**
 * Removes the commits of attempts a week after their end, by the dispatcher's own note of the time: the date in a commit
 * is only the agent's claim. An attempt without a note is noted now.
 */
async function removeAttempts(stores: readonly Store[], rounds: Rounds, now: number): Promise<void> {
  const known = await rounds.all();
  const noted = new Set(
    [...known.values()].flatMap(({ taskId, attempts }) => attempts.map((one) => `${taskId}.${one}`)),
  );
  for (const store of stores) {
    for (const { taskId, attempt } of await store.listAll()) {
      if (!noted.has(`${taskId}.${attempt}`)) await rounds.opened(taskId, 0, attempt);
    }
  }
  for (const [key, { taskId, attempts, at }] of known) {
    if (now - at < ATTEMPTS_KEPT_MS) continue;
    for (const attempt of attempts) for (const store of stores) await store.remove(taskId, attempt);
    await rounds.forget(key);
  }
}

async function removeBundles(dir: string, now: number): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    const file = join(dir, name);
    const found = await stat(file).catch(() => null);
    if (found !== null && now - Math.max(found.mtimeMs, found.atimeMs) > BUNDLES_KEPT_MS)
      await rm(file, { force: true });
  }
}

/** Removes the transcripts that were last written before `before`, milliseconds since 1970. */
export async function removeTranscripts(dir: string, before: number): Promise<void> {
  for (const task of await readdir(dir).catch(() => [])) {
    const folder = join(dir, task);
    for (const name of await readdir(folder).catch(() => [])) {
      const found = await stat(join(folder, name)).catch(() => null);
      if (found !== null && found.mtimeMs < before) await rm(join(folder, name), { force: true });
    }
    // Fails while a transcript is left.
    await rmdir(folder).catch(() => undefined);
  }
}
