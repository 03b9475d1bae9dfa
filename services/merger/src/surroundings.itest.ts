import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWaiting } from "@agentswarm/queue";
import { bullQueue } from "../../../test/support/queue.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { startMerger, type Attempt, type TestMerger } from "../testing/start-merger.ts";

const WITHIN_MS = 40_000;
const dir = mkdtempSync(join(tmpdir(), "swarm-merger-surroundings-"));
const bundles = join(dir, "home/bundles");
/** Only root can mount a disk that is small enough to be full. */
const hasSmallDisk = process.platform === "linux" && process.getuid?.() === 0 && mountSmallDisk();

let merger: TestMerger;
beforeAll(async () => {
  merger = await startMerger({ dir, checks: ["sleep 0.2"] });
  // The hooks of an origin must run, so the merger pushes to it from a mirror, as to a host.
  const hook = join(merger.origin, "hooks/pre-receive");
  mkdirSync(join(merger.origin, "hooks"), { recursive: true });
  writeFileSync(hook, "#!/bin/sh\nif test -e refuse; then echo 'GH006: Protected branch' >&2; exit 1; fi\n");
  chmodSync(hook, 0o755);
  await merger.service.stop();
  await merger.again();
});
afterAll(async () => {
  if (hasSmallDisk) execFileSync("umount", ["--lazy", bundles]);
  await merger[Symbol.asyncDispose]();
});

function mountSmallDisk(): boolean {
  mkdirSync(bundles, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", bundles], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function request(...taskIds: string[]): Promise<Attempt[]> {
  const attempts = taskIds.map((taskId) => ({
    taskId,
    base: merger.head(),
    files: { [`src/${taskId}.js`]: `// ${taskId}\n` },
  }));
  await merger.store(attempts);
  await merger.request(attempts);
  return attempts;
}
const waitFor = (taskId: string, reason: RegExp) =>
  waitUntil(
    `${taskId} to wait for ${reason.source}`,
    WITHIN_MS,
    async () => {
      const waiting = (await openWaiting(merger.connection).read()).task("feature-1", taskId);
      return waiting !== null && reason.test(waiting.reason) ? waiting : null;
    },
    merger.service.output,
  );
async function allLand(attempts: readonly Attempt[]): Promise<void> {
  for (const { taskId } of attempts) expect(await merger.outcome(taskId)).toMatchObject({ kind: "landed" });
  expect(await bullQueue(merger.connection, "merge").getFailedCount()).toBe(0);
  await waitUntil("nothing to wait", WITHIN_MS, async () =>
    (await openWaiting(merger.connection).read()).reasons().length === 0 ? true : null,
  );
}

// Fault 19: a full disk.
test.runIf(hasSmallDisk)(
  "fault 19: landings wait while the disk is full, and land when it has room",
  async () => {
    const filler = join(bundles, "filler");
    execFileSync("sh", ["-c", `dd if=/dev/zero of=${filler} bs=4k 2>/dev/null || true`]);
    const attempts = await request("full-1", "full-2", "full-3");
    for (const { taskId } of attempts) {
      const waiting = await waitFor(taskId, /No space left|ENOSPC/);
      expect(waiting).toMatchObject({ source: "operator", service: "merger" });
      expect(waiting.reason).toContain("free space on the disk of SWARM_HOME");
    }
    rmSync(filler);
    await allLand(attempts);
  },
);

test("fault 22: landings wait while the origin refuses the push, and land when it allows it", async () => {
  const refusal = join(merger.origin, "refuse");
  writeFileSync(refusal, "");
  const attempts = await request("refused-1", "refused-2");
  for (const { taskId } of attempts) {
    const waiting = await waitFor(taskId, /the push was refused/);
    expect(waiting).toMatchObject({ source: "operator" });
    expect(waiting.reason).toContain("let the account of GIT_WRITE_CREDENTIAL push to the branch");
  }
  rmSync(refusal);
  await allLand(attempts);
});

test("fault 21: a trunk that others push to all the time costs no attempt, which lands when they pause", async () => {
  let isBusy = true;
  const pushing = (async () => {
    for (let nth = 0; isBusy; nth += 1) {
      const who = "Somebody <s@example.com> 1700000000 +0000";
      const message = `author ${who}\ncommitter ${who}\ndata 7\nforeign`;
      const input = `commit refs/heads/main\n${message}\nfrom ${merger.head()}\nM 644 inline busy-${nth}\ndata 0\n\n`;
      // The merger may be faster for once.
      try {
        execFileSync("git", ["fast-import", "--quiet", "--date-format=raw"], {
          cwd: merger.origin,
          input,
          stdio: ["pipe", "ignore", "ignore"],
        });
      } catch {}
      await sleep(50);
    }
  })();
  const attempts = await request("busy-1", "busy-2");
  for (const { taskId } of attempts) await waitFor(taskId, /lands when nobody pushes/);
  isBusy = false;
  await pushing;
  await allLand(attempts);
});
