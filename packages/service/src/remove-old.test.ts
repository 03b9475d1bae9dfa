import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { removeOldFiles } from "./remove-old-files.ts";
import { removeOld } from "./remove-old.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-remove-old-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function write(name: string, daysOld: number): string {
  const file = join(dir, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "");
  const then = Date.now() / 1_000 - daysOld * 86_400;
  utimesSync(file, then, then);
  return file;
}

test("old files are removed with the folders that become empty, a bounded number at a time", async () => {
  const old = ["task-a/1.jsonl", "task-b/1.jsonl", "x.bundle"].map((name) => write(name, 31));
  const young = write("task-b/2.jsonl", 29);
  const before = Date.now() - 30 * 86_400_000;
  expect(await removeOldFiles(dir, before, 2)).toBe(2);
  expect(await removeOldFiles(dir, before)).toBe(1);
  expect(old.map((file) => existsSync(file))).toEqual([false, false, false]);
  expect([existsSync(young), existsSync(join(dir, "task-a"))]).toEqual([true, false]);
  expect(await removeOldFiles(join(dir, "never-made"), before)).toBe(0);
});

test("a removal that fails is logged by its name, and keeps neither the others nor its own next turn", async () => {
  const lines: object[] = [];
  const log = { info: (fields: object) => void lines.push(fields), error: (f: object) => void lines.push(f) };
  const { promise: twice, resolve } = Promise.withResolvers<void>();
  let turns = 0;
  const full = new Error("disk full");
  await using removing = removeOld(
    [
      { name: "refs", remove: () => Promise.reject(full) },
      { name: "bundles", remove: async () => ((turns += 1) === 2 ? (resolve(), 0) : 3) },
    ],
    log as never,
    { firstAfterMs: 0, everyMs: 1 },
  );
  await twice;
  await removing[Symbol.asyncDispose]();
  expect(lines.slice(0, 3)).toEqual([
    { removal: "refs", err: full },
    { removal: "bundles", removed: 3 },
    { removal: "refs", err: full },
  ]);
});
