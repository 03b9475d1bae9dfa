import { setTimeout as sleep } from "node:timers/promises";
import { asFault, DEFAULT_REPO, type Fault, type MergeOutcome } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { makeHandoff } from "../../../test/support/make-handoff.ts";
import type { LandingContext } from "./context.ts";
import { openMergeQueue } from "./queue.ts";
import { runQueue } from "./run-queue.ts";

const COMMIT = "c".repeat(40);

/** Runs three entries, all on the trunk already, of which `b` meets an error when the trunk is searched for it. */
async function run(
  error: Error,
  {
    pauses = { read: async () => null },
    waitsFor = async (_fault: Fault) => undefined,
    tasks = ["a", "b", "c"],
  }: {
    pauses?: LandingContext["pauses"];
    waitsFor?: (fault: Fault) => Promise<void>;
    tasks?: string[];
  } = {},
): Promise<(MergeOutcome | Fault)[]> {
  const stopping = new AbortController();
  const queue = openMergeQueue(stopping.signal);
  const ctx = {
    repoId: DEFAULT_REPO,
    log: { error: () => undefined, info: () => undefined },
    mirror: { dir: "/nowhere", trunk: "main", fetch: async () => undefined, head: async () => COMMIT },
    store: { dir: "/nowhere" },
    engine: { readFile: async () => null, build: async () => [] },
    landed: {
      find: async (_published: string, taskId: string) => {
        if (taskId === "b") throw error;
        return COMMIT;
      },
    },
    scanner: { scan: async () => [] },
    pauses,
    upkeep: { idle: async () => undefined, batchPublished: () => undefined },
    gate: null,
    signal: stopping.signal,
  } as unknown as LandingContext;
  const ended = tasks.map((taskId) => {
    const request = {
      taskId,
      featureId: "feature-1",
      repoId: DEFAULT_REPO,
      attempt: 1,
      ref: `refs/swarm/${taskId}/1`,
      baseCommit: COMMIT,
      headCommit: COMMIT,
      title: taskId,
      handoff: makeHandoff({ taskId, attempt: 1, headCommit: COMMIT }),
    };
    const nothing = async () => undefined;
    const job = { signal: stopping.signal, crashes: 0, atWork: nothing, waitsFor };
    return queue.add(request, job).catch((cause: unknown) => asFault(cause));
  });
  const running = runQueue(ctx, queue);
  const results = await Promise.all(ended);
  stopping.abort("done");
  await running;
  return results;
}

const landed = { kind: "already-landed", commit: COMMIT };

test("a bug that one entry of a batch causes fails that entry alone", async () => {
  const [a, b, c] = await run(new TypeError("x is undefined"));
  expect([a, c]).toEqual([landed, landed]);
  expect(b).toMatchObject({ code: "internal", source: "bug" });
});

test("a fault of the machine puts the jobs of the whole batch back", async () => {
  const results = await run(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }));
  for (const one of results) expect(one).toMatchObject({ code: "disk.full", retryable: true });
});

test("nothing lands while landings are paused; entries keep their places and say why", async () => {
  const ada = { by: "ada", via: "cli", why: "an incident", at: 1 } as const;
  let pause: typeof ada | null = ada;
  const waited = Promise.withResolvers<Fault>();
  const running = run(new Error("unused"), {
    pauses: { read: async () => pause },
    waitsFor: async (fault: Fault) => waited.resolve(fault),
    tasks: ["a", "c"],
  });
  expect(await waited.promise).toMatchObject({
    code: "work.paused",
    message: "landings on main are paused by ada: an incident (swarm resume --landings)",
  });
  const ended = running.then(() => "ended");
  expect(await Promise.race([ended, sleep(50, "waits")])).toBe("waits");
  pause = null;
  expect(await running).toEqual([landed, landed]);
});
