import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { describeProcess } from "@agentswarm/contracts/node";
import { takeFileLock } from "./file-lock.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-lock-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("one holder at a time, and no file is left", async () => {
  const file = join(dir, "many.lock");
  let holders = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      await using _lock = await takeFileLock(file);
      holders += 1;
      most = Math.max(most, holders);
      await new Promise((done) => setImmediate(done));
      holders -= 1;
    }),
  );
  expect(most).toBe(1);
  expect(readdirSync(dir)).toEqual([]);
});

const { pid, startedTicks } = describeProcess(process.pid);
test.each([
  ["a process that has ended", JSON.stringify({ pid: 2 ** 22 + 1, startedTicks: 1 })],
  ["an earlier process with this one's pid", JSON.stringify({ pid, startedTicks: (startedTicks ?? 0) - 1 })],
  ["an unknown owner", ""],
  ["an owner known only by pid", String(pid)],
])("the lock of %s is taken over", async (_, content) => {
  const file = join(dir, "left.lock");
  writeFileSync(file, content);
  {
    await using _lock = await takeFileLock(file);
    expect(existsSync(file)).toBe(true);
  }
  expect(existsSync(file)).toBe(false);
});

test("a lock of a process on another host is not taken over", async () => {
  const file = join(dir, "other-host.lock");
  writeFileSync(file, JSON.stringify({ host: "another", pid: 2 ** 22 + 1, startedTicks: 1 }));
  let taken = false;
  const waiting = takeFileLock(file).then((lock) => {
    taken = true;
    return lock;
  });
  await sleep(300);
  expect(taken).toBe(false);
  rmSync(file);
  await (await waiting)[Symbol.asyncDispose]();
});
