import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { startReconciler, type TestReconciler } from "../testing/start-reconciler.ts";

const draft = { signature: "*", title: "Fix it", description: "", scope: [] };
const answer = () => ({ drafts: [draft] });

const deadChecks = (reconciler: TestReconciler) =>
  waitUntil("the checks' end", 20_000, async () =>
    (await reconciler.checksAlive()).length === 0 ? true : null,
  );
const sandboxes = (reconciler: TestReconciler) => readdir(join(reconciler.home, "sandboxes"));
/** Jobs of sweeps for the planner, without the first sweep by the timer. */
const sweptJobs = async (reconciler: TestReconciler) => {
  const jobs = await bullQueue(reconciler.connection, "plan").getJobs();
  return jobs.map((job) => job.id).filter((id) => id !== undefined && !id.startsWith("swept-tick-"));
};

// Fault 4: the reconciler is killed during a check.
test("a reconciler killed during a check leaves no process behind and causes one fix task", async () => {
  await using reconciler = await startReconciler(answer);
  const green = reconciler.green();
  const head = reconciler.commit(reconciler.waitingCheck());
  await reconciler.ask("one");
  await reconciler.nextCheck();
  reconciler.service.child.kill("SIGKILL");
  expect(await reconciler.service.ended).toBe("SIGKILL");
  await deadChecks(reconciler);

  await reconciler.again();
  (await reconciler.nextCheck()).fail();
  (await reconciler.nextCheck()).fail();
  const sweep = await reconciler.swept("one");
  expect(sweep).toMatchObject({ outcome: "red", head, green });
  expect(sweep.drafts.map((draft) => draft.signature)).toEqual([sweep.failures[0]?.signature]);
  expect(await sweptJobs(reconciler)).toEqual(["swept-one"]);
  await waitUntil("the sandboxes' end", 20_000, async () =>
    (await sandboxes(reconciler)).length === 0 ? true : null,
  );
});

describe("a reconciler killed at a failpoint", () => {
  let reconciler: TestReconciler;
  beforeAll(async () => {
    reconciler = await startReconciler(answer);
  });
  afterAll(() => reconciler?.[Symbol.asyncDispose]());

  test.each(["checked", "published", "swept", "sent"])(
    "reconciler.%s runs no check twice and reports the sweep once",
    async (failpoint) => {
      await reconciler.service.stop();
      await reconciler.again({ FAILPOINT: `reconciler.${failpoint}` });
      const head = reconciler.commit(reconciler.waitingCheck());
      await reconciler.ask(failpoint);
      (await reconciler.nextCheck()).pass();
      expect(await reconciler.service.ended).toBe("SIGKILL");

      // A second run of the check would block until the test times out.
      await reconciler.again();
      expect(await reconciler.swept(failpoint)).toMatchObject({ outcome: "green", head, green: head });
      expect(reconciler.green()).toBe(head);
      expect((await sweptJobs(reconciler)).filter((id) => id === `swept-${failpoint}`)).toHaveLength(1);
      await waitUntil("the job's end", 20_000, async () =>
        (await bullQueue(reconciler.connection, "sweep").getJobState(failpoint)) === "completed"
          ? true
          : null,
      );
      const finished = (await reconciler.events()).filter((event) => event.id === `sweep-${failpoint}`);
      expect(finished).toHaveLength(1);
    },
  );
});

test("a reconciler killed after a red check asks the model for drafts without running the checks again", async () => {
  await using reconciler = await startReconciler(answer, { FAILPOINT: "reconciler.checked" });
  reconciler.commit(reconciler.waitingCheck());
  await reconciler.ask("one");
  (await reconciler.nextCheck()).fail();
  (await reconciler.nextCheck()).fail();
  expect(await reconciler.service.ended).toBe("SIGKILL");
  await reconciler.again();
  const sweep = await reconciler.swept("one");
  expect(sweep.drafts.map((draft) => draft.title)).toEqual(["Fix it"]);
  expect(await sweptJobs(reconciler)).toEqual(["swept-one"]);
});

test("SIGTERM during a check stops the reconciler in time, and its successor repeats the sweep", async () => {
  await using reconciler = await startReconciler(answer);
  const head = reconciler.commit(reconciler.waitingCheck());
  await reconciler.ask("one");
  await reconciler.nextCheck();
  expect(await reconciler.service.stop()).toBe(0);
  await deadChecks(reconciler);
  expect(await sandboxes(reconciler)).toEqual([]);
  await reconciler.again();
  (await reconciler.nextCheck()).pass();
  expect(await reconciler.swept("one")).toMatchObject({ outcome: "green", green: head });
});
