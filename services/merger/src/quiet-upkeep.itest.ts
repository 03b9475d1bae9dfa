import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createLogger } from "@agentswarm/service";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import { openUpkeep } from "./upkeep.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-upkeep-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const log = createLogger({ service: "test", level: "fatal" });
const never = new Promise<void>(() => undefined);

/** A loose object that no ref holds, written so many days ago. */
function loose(origin: string, text: string, days: number): string {
  writeFileSync(join(dir, "text"), text);
  const id = git(origin, "hash-object", "-w", join(dir, "text"));
  const file = join(origin, "objects", id.slice(0, 2), id.slice(2));
  const then = Date.now() / 1_000 - days * 86_400;
  utimesSync(file, then, then);
  return id;
}

const has = (origin: string, id: string) =>
  git(origin, "cat-file", "--batch-check", `--batch-all-objects`).includes(id);

test("a quiet repository loses what no ref has held for two weeks, once a day, and nothing while an entry comes", async () => {
  const origin = makeStringKit(dir);
  const [old, young] = [loose(origin, "old", 15), loose(origin, "young", 13)];
  await using upkeep = openUpkeep({ dir: origin, everyBatches: 50, log, quietMs: 5 });

  await upkeep.idle(Promise.resolve());
  expect(has(origin, old)).toBe(true);
  await upkeep.idle(never);
  expect([has(origin, old), has(origin, young)]).toEqual([false, true]);
  expect(git(origin, "fsck", "--strict", "--no-dangling")).toBe("");
  expect(existsSync(join(origin, "packed-refs"))).toBe(true);

  const another = loose(origin, "another", 15);
  await upkeep.idle(never);
  expect(has(origin, another)).toBe(true);
  utimesSync(join(origin, "objects/info/commit-graph"), 1, 1);
  await upkeep.idle(never);
  expect(has(origin, another)).toBe(false);
});
