import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { jobId } from "@agentswarm/contracts";
import { openHttpOrigin, type HttpOrigin } from "../../../test/support/http-origin.ts";
import { git } from "../../../test/support/string-kit.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { startMerger, type Attempt, type TestMerger } from "../testing/start-merger.ts";

let host: HttpOrigin;
let merger: TestMerger;
beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), "swarm-remote-origin-"));
  host = await openHttpOrigin(dir);
  console.info(`the git host runs in: ${host.place}`);
  merger = await startMerger({ dir, checks: ["true"], urlOf: (origin) => host.url + origin });
  expect(existsSync(join(merger.home, "mirrors/merger/HEAD"))).toBe(true);
  // The first run builds the git host's image.
}, 300_000);
afterAll(async () => {
  await merger?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

async function ask(taskId: string): Promise<Attempt> {
  const attempt = { taskId, base: merger.head(), files: { [`src/${taskId}.js`]: `// ${taskId}\n` } };
  await merger.store([attempt]);
  await merger.request([attempt]);
  return attempt;
}

async function expectLanded(taskId: string): Promise<void> {
  const outcome = await merger.outcome(taskId);
  expect(["landed", "already-landed"]).toContain(outcome.kind);
  expect(merger.landed().filter((one) => one === taskId)).toHaveLength(1);
  expect(await bullQueue(merger.connection, "merge").getFailedCount()).toBe(0);
}

test("an attempt lands on a remote repository by a push that is not forced", async () => {
  const before = merger.head();
  const { taskId } = await ask("elsewhere");
  await expectLanded(taskId);
  expect(git(merger.origin, "merge-base", before, "main")).toBe(before);
});

// Fault 22: the origin refuses the credential, is down, or hangs.
test.each(["unauthorized", "unavailable"] as const)(
  "a git host that is %s delays the landing without failing the task",
  async (fault) => {
    host.fault = fault;
    const { taskId } = await ask(fault);
    await waitUntil("the job to wait", 40_000, async () =>
      (await bullQueue(merger.connection, "merge").getJobState(jobId.merge(taskId, 1))) === "delayed"
        ? true
        : null,
    );
    expect(merger.service.output()).toContain("GIT_REPO_URL");
    host.fault = "none";
    await expectLanded(taskId);
  },
);

test("a landing waits for a git host that hangs, and is retried once the connection breaks", async () => {
  host.fault = "hanging";
  const { taskId } = await ask("hanging");
  await waitUntil("a request without an answer", 40_000, () => (host.seen.hanging > 0 ? true : null));
  expect(await bullQueue(merger.connection, "merge").getJobState(jobId.merge(taskId, 1))).toBe("active");
  host.fault = "none";
  host.closeConnections();
  await expectLanded(taskId);
});

// Fault 23: the push landed, and its acknowledgement was lost.
test("a push that arrived without an acknowledgement is found to have landed and is not repeated", async () => {
  host.fault = "lost-reply";
  const { taskId } = await ask("lost-reply");
  await waitUntil("a push without an acknowledgement", 40_000, () =>
    host.seen["lost-reply"] > 0 ? true : null,
  );
  host.fault = "none";
  await expectLanded(taskId);
  expect(git(merger.origin, "fsck", "--strict", "--no-dangling")).toBe("");
});
