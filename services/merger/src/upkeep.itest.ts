import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { git } from "../../../test/support/string-kit.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { startMerger } from "../testing/start-merger.ts";

const packsOf = (dir: string) =>
  readdirSync(join(dir, "objects/pack")).filter((name) => name.endsWith(".pack")).length;

test("the repository is repacked between landings without losing an object", async () => {
  await using merger = await startMerger({ env: { LANDING_GATE: "off", REPACK_AFTER: "3" } });
  const unreachable = git(merger.origin, "hash-object", "-w", "--stdin");
  const landed: string[] = [];
  for (let round = 0; round < 12; round += 1) {
    const base = merger.head();
    const attempts = Array.from({ length: 6 }, (_, nth) => ({
      taskId: `task-${round}-${nth}`,
      base,
      files: { [`src/${round}/file-${nth}.js`]: `// ${nth}\n` },
    }));
    await merger.store(attempts);
    await merger.request(attempts);
    for (const { taskId } of attempts) {
      expect(await merger.outcome(taskId)).toMatchObject({ kind: "landed" });
      landed.push(taskId);
    }
  }
  await waitUntil("three repacks", 20_000, () =>
    merger.service.output().split("repository repacked").length > 3 ? true : null,
  );
  expect(await merger.service.stop()).toBe(0);
  // Of at least twelve batches, each with a pack.
  expect(packsOf(merger.origin)).toBeLessThan(10);
  expect(merger.landed().toReversed().toSorted()).toEqual(landed.toSorted());
  expect(git(merger.origin, "fsck", "--strict", "--no-dangling")).toBe("");
  expect(git(merger.origin, "cat-file", "-t", unreachable)).toBe("blob");
});
