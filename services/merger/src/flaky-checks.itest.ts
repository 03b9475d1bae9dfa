import { expect, test } from "vitest";
import { isEventOf, type DomainEvent, type EventOf } from "@agentswarm/contracts";
import { makeWaitingCheck } from "../../../test/support/waiting-check.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { startMerger, type TestMerger } from "../testing/start-merger.ts";

async function flakes(merger: TestMerger): Promise<EventOf<"gate.flaked">[]> {
  const jobs = await bullQueue(merger.connection, "event").getJobs();
  return jobs.map((job) => (job.data as { body: DomainEvent }).body).filter(isEventOf("gate.flaked"));
}

// Fault 26: a flaky test in the gate.
test("an attempt is rejected only when a gate check fails twice on the same tree", async () => {
  let merger: TestMerger | undefined;
  const check = makeWaitingCheck(`flaky-${process.pid}`, () => merger?.service.output() ?? "");
  merger = await startMerger({ checks: [check.command], files: check.files });
  await using _ = merger;
  const base = merger.head();
  const attempt = (taskId: string) => ({ taskId, base, files: { [`src/${taskId}.js`]: `// ${taskId}\n` } });
  const [lucky, broken] = [attempt("lucky"), attempt("broken")];
  await merger.store([lucky, broken]);

  await merger.request([lucky]);
  (await check.next()).fail();
  expect(merger.landed()).toEqual([]);
  (await check.next()).pass();
  const outcome = await merger.outcome("lucky");
  expect(outcome).toMatchObject({ kind: "landed" });
  expect((await flakes(merger)).map((event) => event.data.tree)).toEqual([
    outcome.kind === "landed" && outcome.tree,
  ]);

  await merger.request([broken]);
  (await check.next()).fail();
  (await check.next()).fail();
  expect(await merger.outcome("broken")).toMatchObject({
    kind: "rejected",
    outputTail: expect.stringContaining("decided by the test"),
  });
  expect(merger.landed()).toEqual(["lucky"]);
  expect(await flakes(merger)).toHaveLength(1);
});
