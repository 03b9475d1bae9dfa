import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { processesOf } from "../../test/support/leftovers.ts";
import { waitUntil } from "../../test/support/wait-until.ts";

test.each(["SIGTERM", "SIGINT"] as const)("%s ends the steps and all their processes", async (signal) => {
  const mark = randomUUID();
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), "test", "--only", "unit"], {
    env: { ...process.env, SWARM_TEST_MARK: mark },
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  try {
    // This process, vitest and its first worker.
    await waitUntil("the workers of vitest", 30_000, async () =>
      (await processesOf(mark)).length >= 3 ? true : null,
    );
    child.kill(signal);
    expect((await exited)[0]).toBe(signal === "SIGTERM" ? 143 : 130);
    expect(await processesOf(mark)).toEqual([]);
  } finally {
    child.kill("SIGKILL");
  }
});
