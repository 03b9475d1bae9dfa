import { expect, test } from "vitest";
import { jobId, type MergeRequest } from "@agentswarm/contracts";
import { cancelJob, createSender, jobBody, jobState } from "@agentswarm/queue";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { makeWaitingCheck } from "../../../test/support/waiting-check.ts";
import { startMerger, type TestMerger } from "../testing/start-merger.ts";

test("a task that is cancelled while its batch is tested does not land, and the batch behind it is built without it", async () => {
  let merger: TestMerger | undefined;
  const check = makeWaitingCheck(`cancel-${process.pid}`, () => merger?.service.output() ?? "");
  merger = await startMerger({ checks: [check.command], files: check.files });
  await using started = merger;
  const { connection } = started;
  const base = started.head();
  const attempt = (taskId: string) => ({ taskId, base, files: { [`src/${taskId}.js`]: "// new\n" } });
  const [gone, stays] = [attempt("gone"), attempt("stays")];
  await started.store([gone, stays]);
  await started.request([gone]);
  const first = await check.next();
  await started.request([stays]);
  await check.next();
  // A second entry of the task waits until the first has ended, so it leaves the queue once the cancel was heard.
  const request = (await jobBody(connection, "merge", jobId.merge("gone", 1))) as MergeRequest;
  const second = jobId.merge("gone", 2);
  await createSender(connection, "test").send("merge", { ...request, attempt: 2 }, { jobId: second });
  const inState = (id: string, state: string) =>
    waitUntil(`${id} ${state}`, 20_000, async () =>
      (await jobState(connection, "merge", id)) === state ? true : null,
    );
  await inState(second, "active");
  await cancelJob(connection, "merge", jobId.merge("gone", 1));
  await cancelJob(connection, "merge", second);
  await inState(second, "failed");

  first.pass();
  await inState(jobId.merge("gone", 1), "failed");
  (await check.next()).pass();
  expect(await started.outcome("stays")).toMatchObject({ kind: "landed", group: 1 });
  expect(started.landed()).toEqual(["stays"]);
});
