import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { startMerger } from "../testing/start-merger.ts";

test("a merger that is stopped while its gate runs leaves no sandbox behind", async () => {
  await using merger = await startMerger({ checks: ["sleep 60"] });
  const base = merger.head();
  const attempts = [1, 2, 3].map((n) => ({ taskId: `task-${n}`, base, files: { [`${n}.js`]: "" } }));
  await merger.store(attempts);
  await merger.request(attempts);
  const folders = () => readdirSync(join(merger.home, "sandboxes"));
  await waitUntil("a sandbox of the gate", 30_000, () => (folders().length > 0 ? true : null));
  expect(await merger.service.stop()).toBe(0);
  expect(folders()).toEqual([]);
});
