import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { handoffSchema } from "@agentswarm/contracts";
import type { Store } from "@agentswarm/git";
import { removeOldFiles } from "@agentswarm/service";

const schema = z.object({
  kind: z.literal("ran"),
  handoff: handoffSchema,
  stored: z.boolean(),
  unsafe: z.string().nullable(),
  baseCommit: z.string(),
  byDefault: z.array(z.string()).default([]),
});
/** A `RanAttempt` as it is kept. */
type KeptAttempt = Readonly<z.infer<typeof schema>>;

/**
 * What attempts brought that ended and were not passed on yet, as files beside their commits in the store, so that a
 * redelivered task hands them over and no agent runs twice. Redis cannot hold them: that it refuses them is one reason
 * for a redelivery.
 */
export interface FinishedWork {
  keep(ended: KeptAttempt): Promise<void>;
  /** The newest kept attempt of a round, or null. */
  find(taskId: string, round: number): Promise<KeptAttempt | null>;
  forget(taskId: string, attempt: number): Promise<void>;
  /** Removes what was kept before a time, milliseconds since 1970. Returns the number of attempts. */
  removeOlder(before: number): Promise<number>;
}

export function openFinishedWork({ dir: storeDir }: Pick<Store, "dir">): FinishedWork {
  const dir = join(storeDir, "finished");
  const fileOf = (taskId: string, attempt: number) => join(dir, `${taskId}.${attempt}.json`);
  const list = () => readdir(dir).catch(() => []);
  return {
    async keep(ended) {
      const { taskId, attempt } = ended.handoff;
      const file = fileOf(taskId, attempt);
      await mkdir(dir, { recursive: true });
      // A reader never sees half a file.
      await writeFile(`${file}.new`, JSON.stringify(ended), { mode: 0o600 });
      await rename(`${file}.new`, file);
    },
    async find(taskId, round) {
      const files = (await list()).filter((name) => name.startsWith(`${taskId}.`) && name.endsWith(".json"));
      const kept = await Promise.all(files.map((name) => read(join(dir, name))));
      const ofRound = kept.flatMap((one) => (one?.handoff.round === round ? [one] : []));
      return ofRound.toSorted((a, b) => b.handoff.attempt - a.handoff.attempt)[0] ?? null;
    },
    forget: (taskId, attempt) => rm(fileOf(taskId, attempt), { force: true }),
    removeOlder: (before) => removeOldFiles(dir, before),
  };
}

async function read(file: string): Promise<KeptAttempt | null> {
  try {
    return schema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    // Forgotten by another replica meanwhile, or of a version that this one does not know: the agent runs again.
    return null;
  }
}
