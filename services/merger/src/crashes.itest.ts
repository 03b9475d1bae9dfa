import { afterAll, beforeAll, expect, test } from "vitest";
import { jobId } from "@agentswarm/contracts";
import { git } from "../../../test/support/string-kit.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { startMerger, type TestMerger } from "../testing/start-merger.ts";

const FAILPOINTS = ["screened", "built", "gated", "published", "resolved", "handed-off", "emitted"];
const KILLS = Number(process.env["MERGER_KILLS"] ?? 10);
const LANDINGS_PER_KILL = 20;

let merger: TestMerger;
beforeAll(async () => {
  merger = await startMerger({ checks: ["node --test"] });
  await merger.service.stop();
});
afterAll(() => merger[Symbol.asyncDispose]());

// Fault 3: the merger is killed at each step.
test.each(FAILPOINTS)(
  "a merger killed at merger.%s lands the attempt exactly once and hands it off",
  async (name) => {
    const before = merger.head();
    const attempt = { taskId: `task-${name}`, base: before, files: { [`src/${name}.js`]: `// ${name}\n` } };
    await merger.store([attempt]);
    await merger.request([attempt]);
    await merger.again({ FAILPOINT: `merger.${name}` });
    expect(await merger.service.ended).toBe("SIGKILL");

    await merger.again();
    const outcome = await merger.outcome(attempt.taskId);
    expect(["landed", "already-landed"]).toContain(outcome.kind);
    await waitUntil("the job's end", 40_000, async () => {
      const state = await bullQueue(merger.connection, "merge").getJobState(jobId.merge(attempt.taskId, 1));
      return state === "completed" ? state : null;
    });
    expect(await merger.service.stop()).toBe(0);

    expect(merger.landed().filter((one) => one === attempt.taskId)).toHaveLength(1);
    expect(git(merger.origin, "log", "--format=%B", `${before}..main`)).not.toContain("somebody-elses");
    expect(git(merger.origin, "merge-base", before, "main")).toBe(before);
    expect(git(merger.origin, "rev-list", "--count", `${before}..main`)).toBe("1");
  },
);

test("a merger killed at random moments lands every task once and moves the trunk forward only", async () => {
  git(merger.origin, "config", "core.logAllRefUpdates", "always");
  const base = merger.head();
  const attempts = Array.from({ length: KILLS * LANDINGS_PER_KILL }, (_, nth) => ({
    taskId: `many-${nth}`,
    base,
    files: { [`src/many-${nth}.js`]: `// ${nth}\n` },
  }));
  await merger.store(attempts);
  await merger.request(attempts);
  const landed = () => merger.landed().filter((one) => one.startsWith("many-"));
  for (let kill = 0; kill < KILLS; kill += 1) {
    await merger.again({ LANDING_GATE: "off" });
    const seen = landed().length;
    await waitUntil("a landing", 40_000, () =>
      landed().length > seen || landed().length === attempts.length ? true : null,
    );
    merger.service.child.kill("SIGKILL");
    await merger.service.ended;
  }
  await merger.again({ LANDING_GATE: "off" });
  for (const { taskId } of attempts) {
    expect(["landed", "already-landed"]).toContain((await merger.outcome(taskId)).kind);
  }
  expect(landed().toSorted()).toEqual(attempts.map((one) => one.taskId).toSorted());
  const moves = git(merger.origin, "reflog", "show", "--format=%H", "refs/heads/main")
    .split("\n")
    .toReversed();
  for (const [nth, to] of moves.entries()) {
    const from = moves[nth - 1] ?? base;
    expect(git(merger.origin, "merge-base", from, to)).toBe(from);
  }
}, 300_000);
